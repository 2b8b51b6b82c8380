package dev.mixtral.format;

/// Reorders the rows of `wq` and `wk` between the two [RopeLayout]s.
public final class RopeRows {
    private RopeRows() {}

    /// Returns rows in [RopeLayout#INTERLEAVED] order from rows in [RopeLayout#HALF_SPLIT] order: row `2i` of a head is
    /// row `i`, and row `2i + 1` is row `i + headDim / 2`.
    public static float[] interleave(float[] rows, int headDim, int cols) {
        float[] interleaved = new float[rows.length];
        for (int row = 0; row < rows.length / cols; row++) {
            int inHead = row % headDim;
            int half = headDim / 2;
            int target = row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
            System.arraycopy(rows, row * cols, interleaved, target * cols, cols);
        }
        return interleaved;
    }
}
