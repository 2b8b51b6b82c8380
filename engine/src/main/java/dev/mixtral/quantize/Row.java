package dev.mixtral.quantize;

import org.jspecify.annotations.Nullable;

/// A row of a weight matrix on its way into blocks.
///
/// @param values holds the row
/// @param from index of its first element
/// @param importance one weight per column, or `null` if all columns matter alike
/// @param meanSquare mean of the squares of the row; only looked at with `importance`
record Row(float[] values, int from, float @Nullable [] importance, float meanSquare) {
    static Row of(float[] values, int from, int n, float @Nullable [] importance) {
        return new Row(values, from, importance, importance == null ? 0 : sumOfSquares(values, from, n) / n);
    }

    static float sumOfSquares(float[] values, int from, int n) {
        float sum = 0;
        for (int i = from; i < from + n; i++) {
            sum += values[i] * values[i];
        }
        return sum;
    }

    /// Fills in how much the error of each element of a group counts: the importance of its column, times a term
    /// that favours large elements, as errors of those cannot be made up for by others.
    ///
    /// @param col first column of the group
    /// @param spread mean square of the surroundings
    /// @return whether there is an importance; if not, `weights` is as before
    boolean weigh(int col, int n, float spread, float[] weights) {
        if (importance == null) {
            return false;
        }
        for (int i = 0; i < n; i++) {
            float x = values[from + col + i];
            weights[i] = importance[col + i] * (float) Math.sqrt(spread + x * x);
        }
        return true;
    }
}
