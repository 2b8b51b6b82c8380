package dev.mixtral.engine;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.QuantizedRows;
import dev.mixtral.tensor.Tensor;
import java.util.IdentityHashMap;

/// Kernels that also sum up the squares of what certain matrices are multiplied with. The model has to run on its
/// stored weights: products with packed ones are not looked at.
///
/// @param kernels do the work
/// @param sums of the matrices to look at
record InputStatistics(Kernels kernels, IdentityHashMap<Tensor, Sums> sums) implements Kernels {
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
    public String name() {
        return kernels.name();
    }

    @Override
    public boolean prefersPacked() {
        return false;
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
        kernels.matmul(w, fromRow, toRow, x, fromToken, numTokens, out, scratch);
    }

    @Override
    public void quantize(FloatMatrix x, int row, QuantizedRows out) {
        kernels.quantize(x, row, out);
    }

    @Override
    public void matmul(
            PackedMatrix w,
            int fromRow,
            int toRow,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch) {
        kernels.matmul(w, fromRow, toRow, x, fromToken, numTokens, out, scratch);
    }

    @Override
    public void gateUp(
            PackedMatrix gateUp,
            int from,
            int to,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            QuantizedRows hidden,
            Scratch scratch) {
        kernels.gateUp(gateUp, from, to, x, fromToken, numTokens, hidden, scratch);
    }

    @Override
    public void rmsNorm(FloatMatrix x, int row, float[] weight, float eps, FloatMatrix out) {
        kernels.rmsNorm(x, row, weight, eps, out);
    }

    @Override
    public void swiGlu(FloatMatrix gate, FloatMatrix up, int row, int from, int to) {
        kernels.swiGlu(gate, up, row, from, to);
    }

    @Override
    public void addScaled(FloatMatrix x, int row, float scale, FloatMatrix y, int yRow) {
        kernels.addScaled(x, row, scale, y, yRow);
    }

    @Override
    public void attention(
            FloatMatrix q,
            int row,
            KvCache kv,
            int layer,
            int kvHead,
            int numPositions,
            FloatMatrix out,
            Scratch scratch) {
        kernels.attention(q, row, kv, layer, kvHead, numPositions, out, scratch);
    }
}
