package dev.mixtral.kernel.vector;

import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/// Decodes keys and values of a cache to floats: exactly those of [KvCache#key] and [KvCache#value].
final class VectorKvElements {
    private static final int GROUP = KvLayout.GROUP;
    private static final int LENGTH = Lanes.LENGTH;

    private VectorKvElements() {}

    /// Decodes the group of keys that begins at `position`.
    ///
    /// @param decoded receives `[headDim][GROUP]`
    static void decodeKeys(KvCache kv, int layer, int kvHead, int position, float[] decoded) {
        KvLayout layout = kv.layout();
        MemorySegment block = kv.block(position);
        long elements = layout.keyElementsOffset(layer, kvHead, position);
        if (layout.type() == KvType.Q8_0) {
            long scales = layout.keyGroupOffset(layer, kvHead, position);
            decodeKeyCodes(block, scales, elements, layout.headDim(), decoded);
        } else {
            decodeFloats(block, layout.type(), elements, layout.headDim() * GROUP, decoded);
        }
    }

    /// Decodes the values of `n` positions of one group.
    ///
    /// @param decoded receives `[n][headDim]`
    static void decodeValues(KvCache kv, int layer, int kvHead, int position, int n, float[] decoded) {
        KvLayout layout = kv.layout();
        MemorySegment block = kv.block(position);
        int headDim = layout.headDim();
        long elements = layout.valueOffset(layer, kvHead, position);
        if (layout.type() == KvType.Q8_0) {
            int numScales = layout.type().numScales(headDim);
            long scales = layout.valueScalesOffset(layer, kvHead, position);
            for (int j = 0; j < n; j++) {
                long rowScales = scales + (long) Short.BYTES * j * numScales;
                decodeValueCodes(block, rowScales, elements + (long) j * headDim, headDim, decoded, j * headDim);
            }
        } else {
            decodeFloats(block, layout.type(), elements, n * headDim, decoded);
        }
    }

    private static void decodeFloats(MemorySegment block, KvType type, long offset, int n, float[] decoded) {
        if (type == KvType.F32) {
            MemorySegment.copy(block, ValueLayout.JAVA_FLOAT, offset, decoded, 0, n);
            return;
        }
        int i = 0;
        for (; i <= n - LENGTH; i += LENGTH) {
            Lanes.loadF16(block, offset + 2L * i).intoArray(decoded, i);
        }
        for (; i < n; i++) {
            decoded[i] = half(block, offset + 2L * i);
        }
    }

    private static void decodeKeyCodes(MemorySegment block, long scales, long elements, int headDim, float[] decoded) {
        for (int lane = 0; lane < GROUP; lane += LENGTH) {
            for (int from = 0; from < headDim; from += KvType.RUN) {
                FloatVector scale = Lanes.loadF16(block, scales + 2L * (from / KvType.RUN * GROUP + lane));
                int end = Math.min(headDim, from + KvType.RUN);
                for (int i = from; i < end; i++) {
                    int at = i * GROUP + lane;
                    Lanes.toFloats(Lanes.loadSignedBytes(block, elements + at))
                            .mul(scale)
                            .intoArray(decoded, at);
                }
            }
        }
    }

    private static void decodeValueCodes(
            MemorySegment block, long scales, long elements, int headDim, float[] decoded, int at) {
        for (int from = 0; from < headDim; from += KvType.RUN) {
            float scale = half(block, scales + 2L * (from / KvType.RUN));
            int end = Math.min(headDim, from + KvType.RUN);
            int i = from;
            for (; i <= end - LENGTH; i += LENGTH) {
                Lanes.toFloats(Lanes.loadSignedBytes(block, elements + i))
                        .mul(scale)
                        .intoArray(decoded, at + i);
            }
            for (; i < end; i++) {
                decoded[at + i] = block.get(ValueLayout.JAVA_BYTE, elements + i) * scale;
            }
        }
    }

    private static float half(MemorySegment block, long offset) {
        return Float.float16ToFloat(block.get(ValueLayout.JAVA_SHORT, offset));
    }
}
