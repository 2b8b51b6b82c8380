package dev.mixtral.lora;

import org.jspecify.annotations.Nullable;

/// What an adapter does to one matrix of a model, in the order of the model's own rows: `W + B · A`, and with
/// magnitudes each row of that brought to its magnitude. Immutable, as long as nobody writes to the arrays.
///
/// @param a `[rank, in]`
/// @param b `[out, rank]`, scaled
/// @param magnitude `[out]`, or `null`
public record LoraDelta(int rank, int in, int out, float[] a, float[] b, float @Nullable [] magnitude) {
    /// Turns a row of the model's matrix into that of the merged one.
    ///
    /// @param row which row
    /// @param weights `[in]`, overwritten
    public void apply(int row, float[] weights) {
        add(row, weights);
        if (magnitude != null) {
            float scale = scaleOf(row, weights, magnitude);
            for (int c = 0; c < in; c++) {
                weights[c] = weights[c] * scale;
            }
        }
    }

    /// Returns what the outputs of a row, the adapter's included, are multiplied by; 1 without magnitudes.
    ///
    /// @param weights the row of the model's matrix, `[in]`; overwritten
    public float outputScale(int row, float[] weights) {
        if (magnitude == null) {
            return 1;
        }
        add(row, weights);
        return scaleOf(row, weights, magnitude);
    }

    private void add(int row, float[] weights) {
        for (int k = 0; k < rank; k++) {
            float factor = b[row * rank + k];
            int at = k * in;
            for (int c = 0; c < in; c++) {
                weights[c] = Math.fma(factor, a[at + c], weights[c]);
            }
        }
    }

    private float scaleOf(int row, float[] weights, float[] magnitudes) {
        double squares = 0;
        for (int c = 0; c < in; c++) {
            squares += (double) weights[c] * weights[c];
        }
        // A row of zeros has no direction that a magnitude could stretch.
        return squares == 0 ? 0 : (float) (magnitudes[row] / Math.sqrt(squares));
    }
}
