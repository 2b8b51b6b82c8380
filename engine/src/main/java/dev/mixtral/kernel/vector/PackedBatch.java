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

    /// Sub-blocks unpacked at a time, a divisor of a super-block's: their codes fit the first-level cache.
    private static final int SUBS = 4;

    private static final int PAIRS = SUBS * ActivationPairs.PER_RUN;
    private static final int CODES = SUBS * PackedCodes.MAX_PER_SUB;
    private static final int SUMS = SUBS * 2 * IntegerTile.UNIT;
    private static final int VECTORS_PER_PANEL = ROWS / Lanes.LENGTH;

    /// Panels of a tile, and their rows.
    static final int PANELS = IntegerTile.VECTORS / VECTORS_PER_PANEL;

    private static final int TILE_ROWS = PANELS * ROWS;

    /// Where the scales of sub-blocks lie behind a super-block's head.
    private static final int WEIGHTS = PackedScales.HEAD;

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
        this.weights = scratch.weights(WEIGHTS + SUBS * PackedScales.PER_SUB);
        this.pairs = scratch.pairs(numTokens * PAIRS);
    }

    /// Returns where the 16 sums of a panel and a token lie: tile by tile, in each token by token.
    static int sumsAt(int panel, int token, int numTokens) {
        return (panel / PANELS * numTokens + token) * TILE_ROWS + panel % PANELS * ROWS;
    }

    /// Multiplies some panels by some tokens.
    ///
    /// @param sums overwritten from index 0 on; [#sumsAt] says where what is. As many panels as make whole tiles
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
        int tiles = (numPanels + PANELS - 1) / PANELS;
        Arrays.fill(sums, 0, tiles * numTokens * TILE_ROWS, 0);
        int numSubs = w.cols() / PackedType.COLS;
        for (int sub = 0; sub < numSubs; sub += SUBS) {
            int n = Math.min(SUBS, numSubs - sub);
            for (int t = 0; t < numTokens; t++) {
                ActivationPairs.fill(x, token + t, sub, n, batch.pairs, t * PAIRS);
            }
            for (int p = 0; p < numPanels; p += PANELS) {
                int panels = Math.min(PANELS, numPanels - p);
                batch.addPanels(panel + p, panels, sub, n, x, token, numTokens, sums, p * numTokens * ROWS);
            }
        }
    }

    /// Adds the products of a tile's panels with some sub-blocks of all tokens.
    private void addPanels(
            int panel, int panels, int sub, int n, QuantizedRows x, int token, int numTokens, float[] sums, int at) {
        for (int p = 0; p < panels; p++) {
            unpack(panel + p, p, sub, n);
        }
        for (int t = 0; t < numTokens; t += IntegerTile.TOKENS) {
            int tokens = Math.min(IntegerTile.TOKENS, numTokens - t);
            if (tokens == 1) {
                IntegerTile.multiply1(codes, units * n, unit, shift, pairs, t * PAIRS, codes, CODES);
            } else {
                IntegerTile.multiply2(codes, units * n, unit, shift, pairs, t * PAIRS, PAIRS, codes, CODES);
            }
            for (int i = 0; i < tokens; i++) {
                int xAt = x.scalesOffset(token + t + i) + sub * QuantizedRows.SCALES_PER_RUN;
                int sumsAt = CODES + i * IntegerTile.STEP;
                int outAt = at + (t + i) * TILE_ROWS;
                WeightedSums.add(type, codes, sumsAt, n, weights, WEIGHTS, x.scales(), xAt, sums, outAt);
            }
        }
    }

    /// Unpacks codes and scales of panel `p` of the tile.
    private void unpack(int panel, int p, int sub, int n) {
        long block = type.subBlockOffset(w.cols(), panel, sub);
        if (type.hasSuperScales()) {
            PackedScales.heads(type, w.data(), type.superBlockOffset(w.cols(), panel, sub), 1, weights, 0);
        }
        int weightsAt = WEIGHTS + p * ROWS;
        PackedScales.decode(type, w.data(), block, n, weights, 0, weights, weightsAt);
        for (int v = 0; v < VECTORS_PER_PANEL; v++) {
            long low = block + type.scaleBytes() + 4L * v * Lanes.LENGTH;
            PackedCodes.unpack(type, w.data(), low, n, codes, (p * VECTORS_PER_PANEL + v) * PackedCodes.VECTOR);
        }
    }
}
