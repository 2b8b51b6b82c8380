package dev.mixtral.quantize;

import static dev.mixtral.quantize.ScaleSearch.clamp;
import static dev.mixtral.quantize.ScaleSearch.nearest;

import dev.mixtral.quantize.ScaleSearch.Tries;
import org.jspecify.annotations.Nullable;

/// Encodes super-blocks of 256 elements whose groups have small integer scales: Q2_K to Q6_K.
///
/// In three steps: each group gets the best scale (and minimum) of its own, these are expressed as small integers
/// under one f16 each, and the elements are rounded again to what the groups' scales have become. Source:
/// `quantize_row_q*_K_ref` and `quantize_row_q*_K_impl` of `ggml-quants.c`. Confined to one thread.
final class SuperBlockEncoder {
    private static final int SIZE = 256;
    private static final int MAX_GROUPS = 16;
    private static final Tries WEIGHTED_TRIES = new Tries(-0.9f, 0.05f, 36, false);

    private final ScaleSearch search = new ScaleSearch();
    private final int[] levels = new int[SIZE];
    private final float[] weights = new float[32];
    private final float[] scales = new float[MAX_GROUPS];
    private final float[] mins = new float[MAX_GROUPS];
    private final float[] groupWeights = new float[MAX_GROUPS];
    private final int[] scaleLevels = new int[MAX_GROUPS];
    private final int[] minLevels = new int[MAX_GROUPS];

    /// What differs between the types whose groups have a scale and a minimum.
    ///
    /// @param groupSize elements of a group
    /// @param max largest level of an element
    /// @param scaleMax largest level of a scale or minimum
    /// @param spread what the mean square of the super-block counts in an element's weight
    /// @param tries search without importance; the weighted one is the same for all
    private record Affine(int groupSize, int max, int scaleMax, float spread, Tries tries) {
        static final Affine Q2 = new Affine(16, 3, 15, 1, new Tries(-0.5f, 0.1f, 15, true));
        static final Affine Q4 = new Affine(32, 15, 63, 2, new Tries(-1, 0.1f, 20, false));
        static final Affine Q5 = new Affine(32, 31, 63, 2, new Tries(-0.5f, 0.1f, 15, false));

        int numGroups() {
            return SIZE / groupSize;
        }
    }

    /// `u8 scales[16]` (low nibble scale, high nibble minimum), `qs[64]`, `f16 d`, `f16 dmin`.
    void q2(Row row, int col, byte[] block) {
        affine(row, col, Affine.Q2, block, 80, 82);
        for (int g = 0; g < 16; g++) {
            block[g] = (byte) (scaleLevels[g] | minLevels[g] << 4);
        }
        putPairsOfBits(block, 16, 0);
    }

    /// `f16 d`, `f16 dmin`, `scales[12]`, `qs[128]`.
    void q4(Row row, int col, byte[] block) {
        affine(row, col, Affine.Q4, block, 0, 2);
        putScalesAndMins(block, 4);
        putNeighbours(block, 16);
    }

    /// `f16 d`, `f16 dmin`, `scales[12]`, `fifthBits[32]` (bit `g` of byte `j`), `qs[128]`.
    void q5(Row row, int col, byte[] block) {
        affine(row, col, Affine.Q5, block, 0, 2);
        putScalesAndMins(block, 4);
        for (int i = 0; i < SIZE; i++) {
            BlockBytes.or(block, 16 + i % 32, levels[i] >> 4 << (i / 32));
        }
        putNeighbours(block, 48);
    }

    /// `highBits[32]`, `qs[64]`, `scales[12]`, `f16 d`.
    void q3(Row row, int col, byte[] block) {
        float d = row.importance() == null ? q3Scales(row, col, block) : q3WeightedScales(row, col, block);
        for (int g = 0; g < 16; g++) {
            BlockBytes.or(block, 96 + g % 8, (scaleLevels[g] & 15) << (4 * (g / 8)));
            BlockBytes.or(block, 104 + g % 4, scaleLevels[g] >> 4 << (2 * (g / 4)));
            roundAgain(row, col, g, d * (scaleLevels[g] - 32), 4);
        }
        for (int i = 0; i < SIZE; i++) {
            BlockBytes.or(block, i % 32, levels[i] >> 2 << (i / 32));
        }
        putPairsOfBits(block, 32, 0);
    }

    /// `low[128]` (nibbles), `high[64]` (2 bits), `i8 scales[16]`, `f16 d`.
    void q6(Row row, int col, byte[] block) {
        for (int g = 0; g < 16; g++) {
            float[] groupWeights = q6Weights(row, col + 16 * g);
            scales[g] = search.symmetric(row.values(), row.from() + col + 16 * g, 16, 32, groupWeights, levels, 16 * g);
        }
        float extreme = ScaleSearch.extreme(scales, 0, 16);
        if (Math.abs(extreme) < ScaleSearch.NOTHING) {
            return; // all bytes 0
        }
        float inverse = -128 / extreme;
        float d = BlockBytes.putHalf(block, 208, 1 / inverse);
        for (int g = 0; g < 16; g++) {
            int scale = Math.min(127, nearest(inverse * scales[g]));
            block[192 + g] = (byte) scale;
            roundAgain(row, col, g, d * scale, 32);
        }
        for (int half = 0; half < 2; half++) {
            for (int l = 0; l < 64; l++) {
                block[64 * half + l] = (byte) ((levels[128 * half + l] & 15) | (levels[128 * half + 64 + l] & 15) << 4);
            }
        }
        putPairsOfBits(block, 128, 4);
    }

    private float[] q6Weights(Row row, int col) {
        for (int i = 0; i < 16; i++) {
            float x = row.values()[row.from() + col + i];
            weights[i] = row.importance() == null ? x * x : row.importance()[col + i];
        }
        return weights;
    }

    private float q3Scales(Row row, int col, byte[] block) {
        for (int g = 0; g < 16; g++) {
            scales[g] = search.symmetricByMoves(row.values(), row.from() + col + 16 * g, 16, 4, levels, 16 * g);
        }
        float extreme = ScaleSearch.extreme(scales, 0, 16);
        float inverse = extreme == 0 ? 0 : -32 / extreme;
        for (int g = 0; g < 16; g++) {
            scaleLevels[g] = extreme == 0 ? 0 : clamp(nearest(inverse * scales[g]), -32, 31) + 32;
        }
        return BlockBytes.putHalf(block, 108, extreme == 0 ? 0 : 1 / inverse);
    }

    private float q3WeightedScales(Row row, int col, byte[] block) {
        float spread = 2 * meanSquare(row, col);
        for (int g = 0; g < 16; g++) {
            row.weigh(col + 16 * g, 16, spread, weights);
            groupWeights[g] = sum(weights, 16);
            scales[g] = search.symmetric(row.values(), row.from() + col + 16 * g, 16, 4, weights, levels, 16 * g);
        }
        return BlockBytes.putHalf(block, 108, search.symmetric(scales, 0, 16, 32, groupWeights, scaleLevels, 0));
    }

    /// Leaves the levels of elements, scales and minima, and stores `d` and `dmin`.
    private void affine(Row row, int col, Affine type, byte[] block, int dAt, int minAt) {
        int size = type.groupSize;
        float spread = type.spread * meanSquare(row, col);
        for (int g = 0; g < type.numGroups(); g++) {
            int from = row.from() + col + size * g;
            boolean weighted = row.weigh(col + size * g, size, spread, weights);
            if (!weighted) {
                weighPlainly(row.values(), from, type);
            }
            groupWeights[g] = sum(weights, size);
            Tries tries = weighted ? WEIGHTED_TRIES : type.tries;
            scales[g] = search.affine(row.values(), from, size, type.max, weights, levels, size * g, tries);
            mins[g] = search.min();
        }
        float @Nullable [] important = row.importance() == null ? null : groupWeights;
        float d = BlockBytes.putHalf(block, dAt, quantizeScales(scales, type, important, scaleLevels));
        float min = BlockBytes.putHalf(block, minAt, quantizeScales(mins, type, important, minLevels));
        for (int g = 0; g < type.numGroups(); g++) {
            float scale = d * scaleLevels[g];
            float offset = min * minLevels[g];
            for (int i = size * g; i < size * (g + 1) && scale != 0; i++) {
                levels[i] = clamp(nearest((row.values()[row.from() + col + i] + offset) / scale), 0, type.max);
            }
        }
    }

    /// Weights without importance: large elements count more.
    private void weighPlainly(float[] x, int from, Affine type) {
        float base = type.tries.absolute()
                ? 0
                : (float) Math.sqrt(Row.sumOfSquares(x, from, type.groupSize) / type.groupSize);
        for (int i = 0; i < type.groupSize; i++) {
            weights[i] = base + Math.abs(x[from + i]);
        }
    }

    /// Expresses scales, or minima, as small integers, and returns what one is worth.
    private float quantizeScales(float[] values, Affine type, float @Nullable [] important, int[] to) {
        int n = type.numGroups();
        if (important != null) {
            return search.positive(values, n, type.scaleMax, important, to);
        }
        float max = 0;
        for (int g = 0; g < n; g++) {
            max = Math.max(max, values[g]);
        }
        float inverse = max > 0 ? type.scaleMax / max : 0;
        for (int g = 0; g < n; g++) {
            to[g] = clamp(nearest(inverse * values[g]), 0, type.scaleMax);
        }
        return max / type.scaleMax;
    }

    /// Rounds a group of 16 to what its scale has become.
    private void roundAgain(Row row, int col, int g, float scale, int bound) {
        if (scale == 0) {
            return;
        }
        for (int i = 16 * g; i < 16 * (g + 1); i++) {
            levels[i] = bound + clamp(nearest(row.values()[row.from() + col + i] / scale), -bound, bound - 1);
        }
    }

    private static float meanSquare(Row row, int col) {
        return Row.sumOfSquares(row.values(), row.from() + col, SIZE) / SIZE;
    }

    private static float sum(float[] values, int n) {
        float sum = 0;
        for (int i = 0; i < n; i++) {
            sum += values[i];
        }
        return sum;
    }

    /// Stores two bits of every level: the four quarters of a half share 32 bytes.
    private void putPairsOfBits(byte[] block, int at, int shift) {
        for (int half = 0; half < 2; half++) {
            for (int quarter = 0; quarter < 4; quarter++) {
                for (int l = 0; l < 32; l++) {
                    int level = levels[128 * half + 32 * quarter + l];
                    BlockBytes.or(block, at + 32 * half + l, (level >> shift & 3) << (2 * quarter));
                }
            }
        }
    }

    /// Stores low nibbles: two neighbouring groups share 32 bytes.
    private void putNeighbours(byte[] block, int at) {
        for (int i = 0; i < SIZE; i++) {
            BlockBytes.or(block, at + 32 * (i / 64) + i % 32, (levels[i] & 15) << (4 * (i / 32 % 2)));
        }
    }

    /// Stores eight scales and eight minima of 6 bits: the first four plainly in bytes 0 to 3 and 4 to 7, whose
    /// upper two bits are those of the other four; their low nibbles are in bytes 8 to 11.
    private void putScalesAndMins(byte[] block, int at) {
        for (int g = 0; g < 4; g++) {
            block[at + g] = (byte) (scaleLevels[g] | scaleLevels[g + 4] >> 4 << 6);
            block[at + g + 4] = (byte) (minLevels[g] | minLevels[g + 4] >> 4 << 6);
            block[at + g + 8] = (byte) ((scaleLevels[g + 4] & 15) | (minLevels[g + 4] & 15) << 4);
        }
    }
}
