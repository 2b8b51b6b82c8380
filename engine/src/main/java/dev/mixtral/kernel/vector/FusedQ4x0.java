package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// One token times Q4_0 weights without a detour through memory, for vectors of 16 floats.
///
/// Decodes and adds in the same order as [VectorMatmul] does with [Unpack], hence to the same bits: a token alone
/// and in a batch agree.
final class FusedQ4x0 {
    private static final int BLOCK = 32;
    private static final int BLOCK_BYTES = 18;

    private FusedQ4x0() {}

    static void multiply(Tensor w, int fromRow, int toRow, FloatMatrix x, int token, FloatMatrix out, Scratch scratch) {
        float[] sums = scratch.accumulators(Lanes.LENGTH);
        long rowBytes = w.rowBytes();
        int cols = w.cols();
        for (int row = fromRow; row < toRow; row++) {
            multiplyRow(w.data(), row * rowBytes, cols, x.data(), x.offset(token), sums);
            out.set(token, row, Lanes.sum(sums, 0));
        }
    }

    /// One row after the other, since memory is fastest read as one stream; even and odd runs have sums of their own,
    /// so that an addition does not wait for the one before.
    private static void multiplyRow(MemorySegment w, long offset, int cols, float[] x, int xAt, float[] sums) {
        FloatVector even = FloatVector.zero(Lanes.FLOATS);
        FloatVector odd = FloatVector.zero(Lanes.FLOATS);
        for (int b = 0; b < cols / BLOCK; b++) {
            long block = offset + (long) b * BLOCK_BYTES;
            float d = Unpack.half(w, block);
            IntVector q = Lanes.loadBytes(w, block + 2);
            even = lowWeights(q).mul(d).fma(Lanes.load(x, xAt + b * BLOCK), even);
            odd = highWeights(q).mul(d).fma(Lanes.load(x, xAt + b * BLOCK + 16), odd);
        }
        even.add(odd).intoArray(sums, 0);
    }

    private static FloatVector lowWeights(IntVector q) {
        return Lanes.toFloats(q.and(15).sub(8));
    }

    private static FloatVector highWeights(IntVector q) {
        return Lanes.toFloats(q.lanewise(VectorOperators.LSHR, 4).sub(8));
    }
}
