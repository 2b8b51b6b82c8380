package dev.mixtral.kvcache;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Writes and reads the rows of a block: the specification of every [KvType].
///
/// Stateless; different threads may write different positions, layers or heads at once.
final class KvElements {
    private static final int GROUP = KvLayout.GROUP;

    private KvElements() {}

    /// Stores one key.
    ///
    /// @param x source, `headDim` elements from index `at` on
    static void writeKey(MemorySegment block, KvLayout layout, int layer, int kvHead, int position, float[] x, int at) {
        int lane = position % GROUP;
        long scales = layout.keyGroupOffset(layer, kvHead, position) + (long) Short.BYTES * lane;
        long elements = layout.keyElementsOffset(layer, kvHead, position)
                + (long) layout.type().elementBytes() * lane;
        write(block, layout, scales, elements, GROUP, x, at);
    }

    /// Stores one value.
    ///
    /// @param x source, `headDim` elements from index `at` on
    static void writeValue(
            MemorySegment block, KvLayout layout, int layer, int kvHead, int position, float[] x, int at) {
        long scales = layout.valueScalesOffset(layer, kvHead, position);
        write(block, layout, scales, layout.valueOffset(layer, kvHead, position), 1, x, at);
    }

    private static void write(
            MemorySegment block, KvLayout layout, long scales, long elements, int stride, float[] x, int at) {
        int headDim = layout.headDim();
        switch (layout.type()) {
            case F32 -> {
                for (int i = 0; i < headDim; i++) {
                    block.set(ValueLayout.JAVA_FLOAT, elements + (long) Float.BYTES * stride * i, x[at + i]);
                }
            }
            case F16 -> {
                for (int i = 0; i < headDim; i++) {
                    short half = Float.floatToFloat16(x[at + i]);
                    block.set(ValueLayout.JAVA_SHORT, elements + (long) Short.BYTES * stride * i, half);
                }
            }
            case Q8_0 -> {
                for (int run = 0; run < layout.type().numScales(headDim); run++) {
                    int from = run * KvType.RUN;
                    int n = Math.min(KvType.RUN, headDim - from);
                    short scale = scaleOf(x, at + from, n);
                    block.set(ValueLayout.JAVA_SHORT, scales + (long) Short.BYTES * stride * run, scale);
                    quantize(block, elements + (long) stride * from, stride, scale, x, at + from, n);
                }
            }
        }
    }

    /// Returns `max |x| / 127` as binary16. Not finite where a number is not, or is too large, so that a broken model
    /// shows: the elements are then not numbers.
    private static short scaleOf(float[] x, int at, int n) {
        float max = 0;
        for (int i = at; i < at + n; i++) {
            max = Math.max(max, Math.abs(x[i]));
        }
        return Float.floatToFloat16(max / 127);
    }

    private static void quantize(MemorySegment block, long offset, int stride, short half, float[] x, int at, int n) {
        // The rounded scale, not the one it was rounded from: codes are the nearest for what readers multiply by.
        float scale = Float.float16ToFloat(half);
        float inverse = scale > 0 ? 1 / scale : 0;
        for (int i = 0; i < n; i++) {
            int code = Math.clamp((int) Math.rint(x[at + i] * inverse), -127, 127);
            block.set(ValueLayout.JAVA_BYTE, offset + (long) stride * i, (byte) code);
        }
    }

    static float key(MemorySegment block, KvLayout layout, int layer, int kvHead, int position, int i) {
        int lane = position % GROUP;
        long scale =
                layout.keyGroupOffset(layer, kvHead, position) + (long) Short.BYTES * (i / KvType.RUN * GROUP + lane);
        return read(block, layout.type(), scale, layout.keyElementsOffset(layer, kvHead, position), i * GROUP + lane);
    }

    static float value(MemorySegment block, KvLayout layout, int layer, int kvHead, int position, int i) {
        long scale = layout.valueScalesOffset(layer, kvHead, position) + (long) Short.BYTES * (i / KvType.RUN);
        return read(block, layout.type(), scale, layout.valueOffset(layer, kvHead, position), i);
    }

    private static float read(MemorySegment block, KvType type, long scale, long elements, int index) {
        long offset = elements + (long) type.elementBytes() * index;
        return switch (type) {
            case F32 -> block.get(ValueLayout.JAVA_FLOAT, offset);
            case F16 -> Float.float16ToFloat(block.get(ValueLayout.JAVA_SHORT, offset));
            case Q8_0 ->
                block.get(ValueLayout.JAVA_BYTE, offset)
                        * Float.float16ToFloat(block.get(ValueLayout.JAVA_SHORT, scale));
        };
    }
}
