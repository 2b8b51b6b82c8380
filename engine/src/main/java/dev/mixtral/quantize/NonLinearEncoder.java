package dev.mixtral.quantize;

import static dev.mixtral.quantize.ScaleSearch.clamp;
import static dev.mixtral.quantize.ScaleSearch.nearest;

import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Encodes IQ4_NL and IQ4_XS, whose nibbles index a table that is denser around zero.
///
/// Several scales that put the largest element near the end of the table are tried. Source:
/// `quantize_row_iq4_nl_impl` of `ggml-quants.c`. Confined to one thread.
final class NonLinearEncoder {
    private static final int GROUP = 32;
    private static final int SUPER_BLOCK = 256;
    private static final int TRIES = 7;
    private static final float[] TABLE = decodeTable();

    private final float[] weights = new float[GROUP];
    private final int[] levels = new int[GROUP];
    private final float[] scales = new float[SUPER_BLOCK / GROUP];
    private float sumQx;
    private float sumQ2;

    /// Returns the table, ascending, as the decoder has it.
    private static float[] decodeTable() {
        byte[] block = new byte[DType.IQ4_NL.blockBytes()];
        BlockBytes.putHalf(block, 0, 1);
        for (int j = 0; j < 16; j++) {
            block[2 + j] = (byte) j;
        }
        float[] values = new float[GROUP];
        Dequantizer.dequantize(DType.IQ4_NL, MemorySegment.ofArray(block), 0, values, 0, GROUP);
        return Arrays.copyOf(values, 16);
    }

    /// `f16 d`, 16 bytes of nibbles.
    void iq4Nl(Row row, int col, byte[] block) {
        float spread = 2 * Row.sumOfSquares(row.values(), row.from() + col, GROUP) / GROUP;
        float scale = scale(row, col, spread);
        BlockBytes.putHalf(block, 0, scale);
        putLevels(row, col, scale, block, 2);
    }

    /// `f16 d`, `u16 scalesHigh` (2 bits each), 4 bytes of `scalesLow` (4 bits each), 128 bytes of nibbles.
    void iq4Xs(Row row, int col, byte[] block) {
        float spread = 2 * Row.sumOfSquares(row.values(), row.from() + col, SUPER_BLOCK) / SUPER_BLOCK;
        for (int sub = 0; sub < scales.length; sub++) {
            scales[sub] = scale(row, col + GROUP * sub, spread);
        }
        float d = -ScaleSearch.extreme(scales, 0, scales.length) / 32;
        BlockBytes.putHalf(block, 0, d);
        float inverse = d == 0 ? 0 : 1 / d;
        for (int sub = 0; sub < scales.length; sub++) {
            int level = clamp(nearest(inverse * scales[sub]), -32, 31);
            BlockBytes.or(block, 2 + sub / 4, (level + 32) >> 4 << (2 * (sub % 4)));
            BlockBytes.or(block, 4 + sub / 2, ((level + 32) & 15) << (4 * (sub % 2)));
            putLevels(row, col + GROUP * sub, d * level, block, 8 + 16 * sub);
        }
    }

    private void putLevels(Row row, int col, float scale, byte[] block, int at) {
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int j = 0; j < GROUP; j++) {
            levels[j] = index(inverse * row.values()[row.from() + col + j]);
        }
        BlockBytes.putNibbles(block, at, levels, 0);
    }

    private float scale(Row row, int col, float spread) {
        int from = row.from() + col;
        float extreme = ScaleSearch.extreme(row.values(), from, GROUP);
        if (Math.abs(extreme) < ScaleSearch.NOTHING) {
            return 0;
        }
        if (!row.weigh(col, GROUP, spread, weights)) {
            for (int j = 0; j < GROUP; j++) {
                weights[j] = row.values()[from + j] * row.values()[from + j];
            }
        }
        float scale = -extreme / TABLE[0];
        project(row.values(), from, 1 / scale);
        scale = sumQx / sumQ2;
        float best = scale * sumQx;
        for (int i = -TRIES; i <= TRIES; i++) {
            project(row.values(), from, (i + TABLE[0]) / extreme);
            if (sumQ2 > 0 && sumQx * sumQx > best * sumQ2) {
                scale = sumQx / sumQ2;
                best = scale * sumQx;
            }
        }
        return scale;
    }

    private void project(float[] x, int from, float inverse) {
        sumQx = 0;
        sumQ2 = 0;
        for (int j = 0; j < GROUP; j++) {
            float q = TABLE[index(inverse * x[from + j])];
            sumQx += weights[j] * q * x[from + j];
            sumQ2 += weights[j] * q * q;
        }
    }

    /// Returns the index of the nearest entry; a tie goes to the higher one.
    private static int index(float x) {
        int low = 0;
        int high = TABLE.length - 1;
        while (high - low > 1) {
            int middle = (low + high) / 2;
            if (x < TABLE[middle]) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return x - TABLE[low] < TABLE[high] - x ? low : high;
    }
}
