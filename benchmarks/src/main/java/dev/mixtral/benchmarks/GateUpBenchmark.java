package dev.mixtral.benchmarks;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/// The inner layer of an expert: gate and up, SiLU and product, and the result in 8 bits.
public class GateUpBenchmark extends KernelBenchmark {
    private static final int TASK_COLS = 64;

    /// How weights are packed.
    @Param({"P4_0", "P4_K", "P6_K", "P3_NL"})
    public PackedType type = PackedType.P4_0;

    /// Rows of activations.
    @Param({"1", "4", "16"})
    public int tokens;

    private PackedMatrix[] matrices = new PackedMatrix[0];
    private QuantizedRows x = new QuantizedRows(0, 0);
    private QuantizedRows hidden = new QuantizedRows(0, 0);
    private int turn;

    @Override
    void makeOperands(Kernels kernels, Arena arena) {
        matrices = Operands.matrices(kernels, type, 2 * Operands.FFN_DIM, Operands.DIM, arena);
        x = Operands.quantized(kernels, tokens, Operands.DIM);
        hidden = new QuantizedRows(tokens, Operands.FFN_DIM);
    }

    /// The whole inner layer.
    @Benchmark
    public QuantizedRows gateUp(Work work) {
        PackedMatrix w = matrices[turn++ % matrices.length];
        for (int from = 0; from < Operands.FFN_DIM; from += TASK_COLS) {
            kernels().gateUp(w, from, from + TASK_COLS, x, 0, tokens, hidden, scratch());
        }
        work.bytes += w.data().byteSize();
        work.macs += (long) tokens * w.rows() * w.cols();
        return hidden;
    }
}
