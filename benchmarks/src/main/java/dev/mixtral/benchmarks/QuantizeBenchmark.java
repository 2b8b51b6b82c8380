package dev.mixtral.benchmarks;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.QuantizedRows;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/// Activations into 8 bits; an operation is one row of the model's width.
public class QuantizeBenchmark extends KernelBenchmark {
    private static final int ROWS = 64;

    private final FloatMatrix x = Operands.floats(ROWS, Operands.DIM);
    private final QuantizedRows out = new QuantizedRows(ROWS, Operands.DIM);

    @Override
    void makeOperands(Kernels kernels, Arena arena) {
        // They are the same for all kernels.
    }

    /// A batch of rows.
    @Benchmark
    @OperationsPerInvocation(ROWS)
    public QuantizedRows quantize() {
        for (int row = 0; row < ROWS; row++) {
            kernels().quantize(x, row, out);
        }
        return out;
    }
}
