package dev.mixtral.quantize;

import static dev.mixtral.quantize.ScaleSearch.clamp;

import dev.mixtral.quantize.ScaleSearch.Tries;

/// Encodes blocks of 32 elements under one scale: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.
///
/// Without an importance the scale follows from the extremes alone; with one it is searched for. Source:
/// `quantize_row_q*_ref` and `quantize_row_q*_impl` of `ggml-quants.c`. Confined to one thread.
final class SimpleEncoder {
    private static final int SIZE = 32;
    private static final Tries TRIES = new Tries(-0.9f, 0.05f, 36, false);

    private final ScaleSearch search = new ScaleSearch();
    private final float[] weights = new float[SIZE];
    private final int[] levels = new int[SIZE];

    /// `f16 d`, 32 signed bytes.
    void q8_0(Row row, int col, byte[] block) {
        int from = row.from() + col;
        float d = Math.abs(ScaleSearch.extreme(row.values(), from, SIZE)) / 127;
        float inverse = d == 0 ? 0 : 1 / d;
        BlockBytes.putHalf(block, 0, d);
        for (int j = 0; j < SIZE; j++) {
            // Ties away from zero; in double, where adding a half is exact.
            double x = row.values()[from + j] * inverse;
            block[2 + j] = (byte) clamp((int) (x + Math.copySign(0.5, x)), -127, 127);
        }
    }

    /// `f16 d`, 16 bytes of nibbles.
    void q4_0(Row row, int col, byte[] block) {
        BlockBytes.putHalf(block, 0, symmetric(row, col, 8));
        BlockBytes.putNibbles(block, 2, levels, 0);
    }

    /// `f16 d`, `u32` of fifth bits, 16 bytes of nibbles.
    void q5_0(Row row, int col, byte[] block) {
        BlockBytes.putHalf(block, 0, symmetric(row, col, 16));
        putFifthBits(block, 2);
        BlockBytes.putNibbles(block, 6, levels, 0);
    }

    /// `f16 d`, `f16 m`, 16 bytes of nibbles.
    void q4_1(Row row, int col, byte[] block) {
        affine(row, col, 15, block);
        BlockBytes.putNibbles(block, 4, levels, 0);
    }

    /// `f16 d`, `f16 m`, `u32` of fifth bits, 16 bytes of nibbles.
    void q5_1(Row row, int col, byte[] block) {
        affine(row, col, 31, block);
        putFifthBits(block, 4);
        BlockBytes.putNibbles(block, 8, levels, 0);
    }

    private void putFifthBits(byte[] block, int at) {
        for (int j = 0; j < SIZE; j++) {
            BlockBytes.or(block, at + j / 8, levels[j] >> 4 << (j % 8));
        }
    }

    /// Leaves levels `0 .. 2 * bound - 1`, of which `bound` stands for zero, and returns the scale.
    private float symmetric(Row row, int col, int bound) {
        int from = row.from() + col;
        if (row.weigh(col, SIZE, row.meanSquare(), weights)) {
            return search.symmetric(row.values(), from, SIZE, bound, weights, levels, 0);
        }
        float d = ScaleSearch.extreme(row.values(), from, SIZE) / -bound;
        float inverse = d == 0 ? 0 : 1 / d;
        for (int j = 0; j < SIZE; j++) {
            levels[j] = clamp((int) (row.values()[from + j] * inverse + (bound + 0.5f)), 0, 2 * bound - 1);
        }
        return d;
    }

    /// Leaves levels `0 .. max` and stores scale and minimum.
    private void affine(Row row, int col, int max, byte[] block) {
        int from = row.from() + col;
        if (row.weigh(col, SIZE, row.meanSquare(), weights)) {
            float scale = search.affine(row.values(), from, SIZE, max, weights, levels, 0, TRIES);
            BlockBytes.putHalf(block, 0, scale);
            BlockBytes.putHalf(block, 2, -search.min());
            return;
        }
        float low = Float.MAX_VALUE;
        float high = -Float.MAX_VALUE;
        for (int j = from; j < from + SIZE; j++) {
            low = Math.min(low, row.values()[j]);
            high = Math.max(high, row.values()[j]);
        }
        float d = (high - low) / max;
        float inverse = d == 0 ? 0 : 1 / d;
        for (int j = 0; j < SIZE; j++) {
            levels[j] = clamp((int) ((row.values()[from + j] - low) * inverse + 0.5f), 0, max);
        }
        BlockBytes.putHalf(block, 0, d);
        BlockBytes.putHalf(block, 2, low);
    }
}
