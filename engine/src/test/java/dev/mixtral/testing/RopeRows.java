package dev.mixtral.testing;

/// Reorders the rows of `wq` and `wk` between the two [dev.mixtral.format.RopeLayout]s.
public final class RopeRows {
    private RopeRows() {}

    /// Returns rows in interleaved order from rows in half-split order: row `2i` of a head is row `i`, and row `2i +
    /// 1`
    /// is row `i + headDim / 2`.
    public static float[] interleave(float[] rows, int headDim, int cols) {
        float[] interleaved = new float[rows.length];
        for (int row = 0; row < rows.length / cols; row++) {
            System.arraycopy(rows, row * cols, interleaved, interleavedRow(row, headDim) * cols, cols);
        }
        return interleaved;
    }

    /// Undoes [#interleave].
    public static float[] halfSplit(float[] rows, int headDim, int cols) {
        float[] split = new float[rows.length];
        for (int row = 0; row < rows.length / cols; row++) {
            System.arraycopy(rows, interleavedRow(row, headDim) * cols, split, row * cols, cols);
        }
        return split;
    }

    private static int interleavedRow(int row, int headDim) {
        int inHead = row % headDim;
        int half = headDim / 2;
        return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    }
}
