package dev.mixtral.engine;

import dev.mixtral.kernel.DelegatingKernels;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.Tensor;
import java.util.IdentityHashMap;

/// Kernels that also sum up the squares of what certain matrices are multiplied with. The model has to run on its
/// stored weights: products with packed ones are not looked at.
final class InputStatistics extends DelegatingKernels {
    private final IdentityHashMap<Tensor, Sums> sums;

    /// @param kernels do the work
    /// @param sums of the matrices to look at
    InputStatistics(Kernels kernels, IdentityHashMap<Tensor, Sums> sums) {
        super(kernels);
        this.sums = sums;
    }

    /// What has reached one matrix.
    static final class Sums {
        private final double[] squares;
        private long numRows;

        Sums(int cols) {
            this.squares = new double[cols];
        }

        private synchronized void add(FloatMatrix x, int from, int count) {
            for (int row = from; row < from + count; row++) {
                for (int c = 0; c < squares.length; c++) {
                    double value = x.get(row, c);
                    squares[c] += value * value;
                }
            }
            numRows += count;
        }

        /// Stores the mean squares of all columns, 0 if nothing has come.
        synchronized void means(float[] out, int from) {
            for (int c = 0; c < squares.length && numRows > 0; c++) {
                out[from + c] = (float) (squares[c] / numRows);
            }
        }
    }

    @Override
    public void matmul(
            Tensor w,
            int fromRow,
            int toRow,
            FloatMatrix x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch) {
        Sums inputs = sums.get(w);
        // A product is cut into tasks by rows; one of them has the first.
        if (inputs != null && fromRow == 0) {
            inputs.add(x, fromToken, numTokens);
        }
        super.matmul(w, fromRow, toRow, x, fromToken, numTokens, out, scratch);
    }
}
