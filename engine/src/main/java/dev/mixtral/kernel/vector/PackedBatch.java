package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import java.util.Arrays;

/// Products of a block of panels with a block of tokens: 256 columns of 16 rows are unpacked at a time, into the
/// first-level cache, and multiplied with all tokens while they are there.
final class PackedBatch {
    private static final int ROWS = PackedType.ROWS;

    /// Sub-blocks unpacked at a time: a super-block.
    private static final int SUBS = 8;

    private static final int PAIRS = SUBS * ActivationPairs.PER_RUN;
    private static final int CODES = SUBS * PackedCodes.MAX_PER_SUB;
    private static final int SUMS = SUBS * 2 * IntegerTile.TOKENS * PackedCodes.VECTOR;

    private final PackedMatrix w;
    private final PackedType type;
    private final int unit;
    private final int units;
    private final int shift;
    private final short[] codes;
    private final float[] weights;
    private final int[] pairs;

    /// Takes working memory for blocks of `numTokens` tokens.
    private PackedBatch(PackedMatrix w, int numTokens, Scratch scratch) {
        this.w = w;
        this.type = w.type();
        this.unit = type.scales().halfGroups() ? ActivationPairs.PER_HALF : ActivationPairs.PER_RUN;
        this.units = PackedCodes.units(type);
        this.shift = PackedCodes.splitsNibbles(type) ? 1 : 0;
        this.codes = scratch.codes(CODES + SUMS);
        this.weights = scratch.weights(PackedScales.HEAD + SUBS * PackedScales.PER_SUB);
        this.pairs = scratch.pairs(numTokens * PAIRS);
    }

    /// Multiplies some panels by some tokens.
    ///
    /// @param sums overwritten from index 0 on: 16 floats for each panel and each of its tokens
    static void multiply(
            PackedMatrix w,
            int panel,
            int numPanels,
            QuantizedRows x,
            int token,
            int numTokens,
            float[] sums,
            Scratch scratch) {
        PackedBatch batch = new PackedBatch(w, numTokens, scratch);
        Arrays.fill(sums, 0, numPanels * numTokens * ROWS, 0);
        int numSubs = w.cols() / PackedType.COLS;
        for (int sub = 0; sub < numSubs; sub += SUBS) {
            int n = Math.min(SUBS, numSubs - sub);
            for (int t = 0; t < numTokens; t++) {
                ActivationPairs.fill(x, token + t, sub, n, batch.pairs, t * PAIRS);
            }
            for (int p = 0; p < numPanels; p++) {
                batch.addPanel(panel + p, sub, n, x, token, numTokens, sums, p * numTokens * ROWS);
            }
        }
    }

    private void addPanel(
            int panel, int sub, int numSubs, QuantizedRows x, int token, int numTokens, float[] sums, int at) {
        long block = type.subBlockOffset(w.cols(), panel, sub);
        if (type.hasSuperScales()) {
            PackedScales.heads(type, w.data(), type.superBlockOffset(w.cols(), panel, sub), 1, weights, 0);
        }
        PackedScales.decode(type, w.data(), block, numSubs, weights, 0, weights, PackedScales.HEAD);
        for (int row = 0; row < ROWS; row += Lanes.LENGTH) {
            PackedCodes.unpack(type, w.data(), block + type.scaleBytes() + 4L * row, numSubs, codes, 0);
            int t = 0;
            for (; t <= numTokens - IntegerTile.TOKENS; t += IntegerTile.TOKENS) {
                IntegerTile.multiply4(codes, units * numSubs, unit, shift, pairs, t * PAIRS, PAIRS, codes, CODES);
                for (int i = 0; i < IntegerTile.TOKENS; i++) {
                    weigh(i, row, sub, numSubs, x, token + t + i, sums, at + (t + i) * ROWS + row);
                }
            }
            for (; t < numTokens; t++) {
                IntegerTile.multiply1(codes, units * numSubs, unit, shift, pairs, t * PAIRS, codes, CODES);
                weigh(0, row, sub, numSubs, x, token + t, sums, at + t * ROWS + row);
            }
        }
    }

    /// Adds the integer sums of the tile's token `i`, times their scales.
    private void weigh(int i, int row, int sub, int numSubs, QuantizedRows x, int token, float[] sums, int at) {
        int sumsAt = CODES + i * PackedCodes.VECTOR;
        int weightsAt = PackedScales.HEAD + row;
        int xAt = x.scalesOffset(token) + sub * QuantizedRows.SCALES_PER_RUN;
        WeightedSums.add(type, codes, sumsAt, numSubs, weights, weightsAt, x.scales(), xAt, sums, at);
    }
}
