package dev.mixtral.quantize;

import static dev.mixtral.quantize.ScaleSearch.clamp;
import static dev.mixtral.quantize.ScaleSearch.nearest;

import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Encodes types whose codes index a table that is denser around zero: IQ4_NL, IQ4_XS and NL3.
///
/// Several scales that put the largest element near the end of the table are tried. Source:
/// `quantize_row_iq4_nl_impl` of `ggml-quants.c`. Confined to one thread.
final class NonLinearEncoder {
    private static final int GROUP = 32;
    private static final int SUPER_BLOCK = 256;

    /// As ggml has it.
    private static final Table IQ4 = new Table(decodeTable(DType.IQ4_NL, 16), 7, true);

    /// Where three bits clip the largest elements, the others gain more than these lose: hence the many tries, and all
    /// elements alike.
    private static final Table NL3 = new Table(decodeTable(DType.NL3, 8), 48, false);

    private final float[] weights = new float[GROUP];
    private final int[] levels = new int[GROUP];
    private final float[] scales = new float[SUPER_BLOCK / GROUP];
    private float sumQx;
    private float sumQ2;

    /// A table and how its scales are searched for.
    ///
    /// @param entries ascending
    /// @param tries steps to either side of the scale that maps the largest element to the end of the table
    /// @param favoursLarge whether errors of large elements count more where there is no importance
    private record Table(float[] entries, int tries, boolean favoursLarge) {}

    /// Returns a table, ascending, as the decoder has it.
    private static float[] decodeTable(DType type, int size) {
        byte[] block = new byte[type.blockBytes()];
        BlockBytes.putHalf(block, 0, 1);
        if (type == DType.NL3) {
            block[2] = 1;
        }
        for (int j = 0; j < size; j++) {
            putCode(type, block, j, j);
        }
        float[] values = new float[type.blockSize()];
        Dequantizer.dequantize(type, MemorySegment.ofArray(block), 0, values, 0, values.length);
        return Arrays.copyOf(values, size);
    }

    private static void putCode(DType type, byte[] block, int j, int code) {
        if (type == DType.NL3) {
            BlockBytes.or(block, 10 + j / 4, (code & 3) << (2 * (j % 4)));
            BlockBytes.or(block, 74 + j / 8, code >> 2 << (j % 8));
        } else {
            BlockBytes.or(block, 2 + j, code);
        }
    }

    /// `f16 d`, 16 bytes of nibbles.
    void iq4Nl(Row row, int col, byte[] block) {
        float spread = 2 * Row.sumOfSquares(row.values(), row.from() + col, GROUP) / GROUP;
        float scale = scale(row, col, spread, IQ4);
        BlockBytes.putHalf(block, 0, scale);
        putLevels(row, col, scale, block, 2);
    }

    /// `f16 d`, `u16 scalesHigh` (2 bits each), 4 bytes of `scalesLow` (4 bits each), 128 bytes of nibbles.
    void iq4Xs(Row row, int col, byte[] block) {
        float spread = 2 * Row.sumOfSquares(row.values(), row.from() + col, SUPER_BLOCK) / SUPER_BLOCK;
        for (int sub = 0; sub < scales.length; sub++) {
            scales[sub] = scale(row, col + GROUP * sub, spread, IQ4);
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

    /// `f16 d`, `i8 scales[8]`, 64 bytes of low bits, 32 bytes of high bits.
    void nl3(Row row, int col, byte[] block) {
        float spread = 2 * Row.sumOfSquares(row.values(), row.from() + col, SUPER_BLOCK) / SUPER_BLOCK;
        for (int sub = 0; sub < scales.length; sub++) {
            scales[sub] = scale(row, col + GROUP * sub, spread, NL3);
        }
        float d = BlockBytes.putHalf(block, 0, Math.abs(ScaleSearch.extreme(scales, 0, scales.length)) / 127);
        float inverse = d == 0 ? 0 : 1 / d;
        for (int sub = 0; sub < scales.length; sub++) {
            int level = clamp(nearest(inverse * scales[sub]), -127, 127);
            block[2 + sub] = (byte) level;
            float inverseScale = level == 0 ? 0 : 1 / (d * level);
            for (int j = GROUP * sub; j < GROUP * (sub + 1); j++) {
                putCode(DType.NL3, block, j, index(inverseScale * row.values()[row.from() + col + j], NL3));
            }
        }
    }

    private void putLevels(Row row, int col, float scale, byte[] block, int at) {
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int j = 0; j < GROUP; j++) {
            levels[j] = index(inverse * row.values()[row.from() + col + j], IQ4);
        }
        BlockBytes.putNibbles(block, at, levels, 0);
    }

    private float scale(Row row, int col, float spread, Table table) {
        int from = row.from() + col;
        float extreme = ScaleSearch.extreme(row.values(), from, GROUP);
        if (Math.abs(extreme) < ScaleSearch.NOTHING) {
            return 0;
        }
        if (!row.weigh(col, GROUP, spread, weights)) {
            for (int j = 0; j < GROUP; j++) {
                float x = row.values()[from + j];
                weights[j] = table.favoursLarge ? x * x : 1;
            }
        }
        float scale = -extreme / table.entries[0];
        project(row.values(), from, 1 / scale, table);
        scale = sumQx / sumQ2;
        float best = scale * sumQx;
        for (int i = -table.tries; i <= table.tries; i++) {
            project(row.values(), from, (i + table.entries[0]) / extreme, table);
            if (sumQ2 > 0 && sumQx * sumQx > best * sumQ2) {
                scale = sumQx / sumQ2;
                best = scale * sumQx;
            }
        }
        return scale;
    }

    private void project(float[] x, int from, float inverse, Table table) {
        sumQx = 0;
        sumQ2 = 0;
        for (int j = 0; j < GROUP; j++) {
            float q = table.entries[index(inverse * x[from + j], table)];
            sumQx += weights[j] * q * x[from + j];
            sumQ2 += weights[j] * q * q;
        }
    }

    /// Returns the index of the nearest entry; a tie goes to the higher one.
    private static int index(float x, Table table) {
        float[] entries = table.entries;
        int low = 0;
        int high = entries.length - 1;
        while (high - low > 1) {
            int middle = (low + high) / 2;
            if (x < entries[middle]) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return x - entries[low] < entries[high] - x ? low : high;
    }
}
