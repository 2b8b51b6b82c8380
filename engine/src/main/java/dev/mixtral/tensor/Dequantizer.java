package dev.mixtral.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Decodes stored elements to 32-bit floats, one plain loop per type: the specification of every faster decoder.
///
/// All results are exact to the last bit of what ggml's `dequantize_row_*` computes.
public final class Dequantizer {
    private static final ValueLayout.OfShort LE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Dequantizer() {}

    /// Decodes `n` elements of `type` that start at byte `offset` of `data`.
    ///
    /// @param n a multiple of the type's block size
    /// @param out `[outOffset, outOffset + n)` is overwritten
    public static void dequantize(DType type, MemorySegment data, long offset, float[] out, int outOffset, int n) {
        switch (type) {
            case F32 -> {
                for (int i = 0; i < n; i++) {
                    out[outOffset + i] = Float.intBitsToFloat(data.get(LE_INT, offset + 4L * i));
                }
            }
            case F16 -> {
                for (int i = 0; i < n; i++) {
                    out[outOffset + i] = Float.float16ToFloat(data.get(LE_SHORT, offset + 2L * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < n; i++) {
                    out[outOffset + i] = Float.intBitsToFloat(data.get(LE_SHORT, offset + 2L * i) << 16);
                }
            }
            default -> throw new IllegalArgumentException("no decoder for " + type);
        }
    }
}
