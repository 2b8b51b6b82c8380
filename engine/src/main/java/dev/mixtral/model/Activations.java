package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.QuantizedRows;
import org.jspecify.annotations.Nullable;

/// The input of matrices: rows of floats and, where some matrix is packed, the same rows in 8 bits.
///
/// @param floats `[T, cols]`
/// @param quantized `[T, cols]`; `null` where no matrix is packed
public record Activations(FloatMatrix floats, @Nullable QuantizedRows quantized) {
    static final Activations EMPTY = new Activations(new FloatMatrix(0, 0), null);

    /// Creates rows of zeros.
    ///
    /// @param packed whether matrices are packed; no packed one has columns that are no whole runs of 32
    public static Activations create(int numRows, int cols, boolean packed) {
        return new Activations(
                new FloatMatrix(numRows, cols),
                packed && cols % QuantizedRows.RUN == 0 ? new QuantizedRows(numRows, cols) : null);
    }

    /// Returns the rows in 8 bits.
    ///
    /// @throws IllegalStateException if these activations were made for plain matrices
    public QuantizedRows inEightBits() {
        if (quantized == null) {
            throw new IllegalStateException("a packed matrix reads activations that were not quantised");
        }
        return quantized;
    }

    /// Makes the 8-bit row follow the floats, after they were written.
    public void quantize(Kernels kernels, int row) {
        if (quantized != null) {
            kernels.quantize(floats, row, quantized);
        }
    }

    /// Copies a row of other activations of the same kind.
    public void copyRow(int row, Activations source, int sourceRow) {
        floats.copyRow(row, source.floats, sourceRow);
        if (quantized != null) {
            quantized.copyRow(row, source.inEightBits(), sourceRow);
        }
    }
}
