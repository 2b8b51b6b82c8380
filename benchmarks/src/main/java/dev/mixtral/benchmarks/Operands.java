package dev.mixtral.benchmarks;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import dev.mixtral.testing.RandomTensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.stream.IntStream;

/// Random operands of the size that Mixtral 8x7B has.
final class Operands {
    /// Width of the model.
    static final int DIM = 4096;

    /// Width of an expert's inner layer.
    static final int FFN_DIM = 14336;

    private static final int SEED = 1;

    /// Together more than any last-level cache's share of one core, as a model is.
    private static final long WEIGHTS_BYTES = 256L << 20;

    private Operands() {}

    /// Returns copies of one random matrix, to be used in turns, so that each use reads memory rather than a cache.
    static PackedMatrix[] matrices(Kernels kernels, PackedType type, int rows, int cols, Arena arena) {
        PackedMatrix first = RandomTensors.packed(arena, type, rows, cols, new Random(SEED));
        long bytes = first.data().byteSize();
        int count = (int) Math.ceilDiv(WEIGHTS_BYTES, bytes);
        return IntStream.range(0, count)
                .mapToObj(i -> {
                    MemorySegment memory = kernels.allocateWeights(bytes, arena).copyFrom(first.data());
                    return new PackedMatrix("random " + i, type, rows, cols, memory);
                })
                .toArray(PackedMatrix[]::new);
    }

    /// Returns random activations in 8 bits.
    static QuantizedRows quantized(Kernels kernels, int rows, int cols) {
        FloatMatrix x = floats(rows, cols);
        QuantizedRows quantized = new QuantizedRows(rows, cols);
        for (int row = 0; row < rows; row++) {
            kernels.quantize(x, row, quantized);
        }
        return quantized;
    }

    /// Returns random activations.
    static FloatMatrix floats(int rows, int cols) {
        return RandomTensors.activations(rows, cols, new Random(SEED));
    }
}
