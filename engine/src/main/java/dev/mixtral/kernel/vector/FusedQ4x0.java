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
/// Decodes and adds in the same order as [VectorMatmul] does with [Unpack], hence to the same bits: a token alone and
/// in
/// a batch agree.
final class FusedQ4x0 {
    private static final int BLOCK = 32;
    private static final int BLOCK_BYTES = 18;

    private FusedQ4x0() {}

    static void multiply(Tensor w, int fromRow, int toRow, FloatMatrix x, int token, FloatMatrix out, Scratch scratch) {
        float[] sums = scratch.accumulators(2 * Lanes.LENGTH);
        long rowBytes = w.rowBytes();
        int row = fromRow;
        for (; row < toRow - 1; row += 2) {
            twoRows(w.data(), row * rowBytes, rowBytes, x.data(), x.offset(token), w.cols(), sums);
            out.set(token, row, Lanes.sum(sums, 0));
            out.set(token, row + 1, Lanes.sum(sums, Lanes.LENGTH));
        }
        if (row < toRow) {
            oneRow(w.data(), row * rowBytes, x.data(), x.offset(token), w.cols(), sums);
            out.set(token, row, Lanes.sum(sums, 0));
        }
    }

    /// Two rows advance together, since one alone waits for its own additions.
    private static void twoRows(
            MemorySegment w, long offset, long rowBytes, float[] x, int xAt, int cols, float[] sums) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = FloatVector.zero(Lanes.FLOATS);
        for (int b = 0; b < cols / BLOCK; b++) {
            long block = offset + (long) b * BLOCK_BYTES;
            FloatVector low = Lanes.load(x, xAt + b * BLOCK);
            FloatVector high = Lanes.load(x, xAt + b * BLOCK + 16);
            float d0 = Unpack.half(w, block);
            IntVector q0 = Lanes.loadBytes(w, block + 2);
            sum0 = lowWeights(q0).mul(d0).fma(low, sum0);
            sum0 = highWeights(q0).mul(d0).fma(high, sum0);
            float d1 = Unpack.half(w, block + rowBytes);
            IntVector q1 = Lanes.loadBytes(w, block + rowBytes + 2);
            sum1 = lowWeights(q1).mul(d1).fma(low, sum1);
            sum1 = highWeights(q1).mul(d1).fma(high, sum1);
        }
        sum0.intoArray(sums, 0);
        sum1.intoArray(sums, Lanes.LENGTH);
    }

    private static void oneRow(MemorySegment w, long offset, float[] x, int xAt, int cols, float[] sums) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int b = 0; b < cols / BLOCK; b++) {
            long block = offset + (long) b * BLOCK_BYTES;
            float d = Unpack.half(w, block);
            IntVector q = Lanes.loadBytes(w, block + 2);
            sum = lowWeights(q).mul(d).fma(Lanes.load(x, xAt + b * BLOCK), sum);
            sum = highWeights(q).mul(d).fma(Lanes.load(x, xAt + b * BLOCK + 16), sum);
        }
        sum.intoArray(sums, 0);
    }

    private static FloatVector lowWeights(IntVector q) {
        return Lanes.toFloats(q.and(15).sub(8));
    }

    private static FloatVector highWeights(IntVector q) {
        return Lanes.toFloats(q.lanewise(VectorOperators.LSHR, 4).sub(8));
    }
}
