package dev.mixtral.benchmarks;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/// A packed matrix times 1, 4 and 16 rows of activations: decode of one sequence, of a few, and a short prefill.
///
/// The matrix is the down projection of an expert, in tasks of 64 rows as the model cuts it.
public class PackedMatmulBenchmark extends KernelBenchmark {
    private static final int TASK_ROWS = 64;

    /// How weights are packed.
    @Param
    public PackedType type = PackedType.P4_0;

    /// Rows of activations.
    @Param({"1", "4", "16"})
    public int tokens;

    private PackedMatrix[] matrices = new PackedMatrix[0];
    private QuantizedRows x = new QuantizedRows(0, 0);
    private FloatMatrix out = new FloatMatrix(0, 0);
    private int turn;

    @Override
    void makeOperands(Kernels kernels, Arena arena) {
        matrices = Operands.matrices(kernels, type, Operands.DIM, Operands.FFN_DIM, arena);
        x = Operands.quantized(kernels, tokens, Operands.FFN_DIM);
        out = new FloatMatrix(tokens, Operands.DIM);
    }

    /// One product with the whole matrix.
    @Benchmark
    public FloatMatrix matmul(Work work) {
        PackedMatrix w = matrices[turn++ % matrices.length];
        for (int from = 0; from < w.rows(); from += TASK_ROWS) {
            kernels().matmul(w, from, from + TASK_ROWS, x, 0, tokens, out, scratch());
        }
        work.bytes += w.data().byteSize();
        work.macs += (long) tokens * w.rows() * w.cols();
        return out;
    }
}
