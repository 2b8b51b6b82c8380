package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// An adapter of one matrix, ready to be computed with: `y = scale ⊙ (W · x + B · (A · x))`. Immutable.
///
/// `A · x` is a product like any other ([Kernels#matmul]), then [Kernels#addLowRank] adds the second one, and with DoRA
/// each output is scaled. None of it depends on the other rows of a batch, nor on how outputs are shared out.
///
/// @param a `[rank, in]`
/// @param b `[rank, out]`: the second factor, scaled, one column of it after the other
/// @param outputScale `[out]`, with DoRA (arXiv 2402.09353); else `null`
record LowRank(Tensor a, float[] b, float @Nullable [] outputScale) {
    int rank() {
        return a.rows();
    }

    /// Computes `A · x` of neighbouring rows.
    ///
    /// @param x `[T, in]`
    /// @param product `[T, ≥ rank]`; rows `row … row + numRows - 1` are overwritten
    void shrink(Kernels kernels, FloatMatrix x, int row, int numRows, FloatMatrix product, Scratch scratch) {
        kernels.matmul(a, 0, rank(), x, row, numRows, product, scratch);
    }

    /// Adds `B · (A · x)` to some outputs, and scales them.
    ///
    /// @param product `[T, ≥ rank]`
    /// @param y `[T, out]`; columns `[from, to)` of row `row` are advanced
    void expand(Kernels kernels, FloatMatrix product, int productRow, FloatMatrix y, int row, int from, int to) {
        kernels.addLowRank(product, productRow, b, y, row, from, to);
        if (outputScale != null) {
            float[] outputs = y.data();
            int at = y.offset(row);
            for (int c = from; c < to; c++) {
                outputs[at + c] = outputs[at + c] * outputScale[c];
            }
        }
    }
}
