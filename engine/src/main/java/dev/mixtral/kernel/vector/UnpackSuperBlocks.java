package dev.mixtral.kernel.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Decodes the types with super-blocks of 256 weights: K-quants and IQ4_XS. See [Unpack].
final class UnpackSuperBlocks {
    private static final int SIZE = 256;

    private UnpackSuperBlocks() {}

    static void q2k(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += SIZE, block += 84) {
            float d = Unpack.half(w, block + 80);
            float dMin = Unpack.half(w, block + 82);
            for (int group = 0; group < 16; group++) {
                int scale = unsignedByte(w, block + group);
                long codes = block + 16 + 32L * (group / 8) + 16L * (group % 2);
                q2Group(w, codes, group / 2 % 4 * 2, d * (scale & 15), -(dMin * (scale >> 4)), out, i + 16 * group);
            }
        }
    }

    private static void q2Group(
            MemorySegment w, long codes, int shift, float scale, float offset, float[] out, int at) {
        for (int i = 0; i < 16; i += Lanes.LENGTH) {
            IntVector q = Lanes.loadBytes(w, codes + i);
            Unpack.store(q.lanewise(VectorOperators.LSHR, shift).and(3), scale, offset, out, at + i);
        }
    }

    static void q3k(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += SIZE, block += 110) {
            float d = Unpack.half(w, block + 108);
            for (int group = 0; group < 16; group++) {
                int half = group / 8;
                int shift = group / 2 % 4;
                long highBits = block + 16L * (group % 2);
                long codes = block + 32 + 32L * half + 16L * (group % 2);
                float scale = d * q3Scale(w, block + 96, group);
                q3Group(w, codes, 2 * shift, highBits, 4 * half + shift, scale, out, i + 16 * group);
            }
        }
    }

    private static void q3Group(
            MemorySegment w, long codes, int shift, long highBits, int highShift, float scale, float[] out, int at) {
        for (int i = 0; i < 16; i += Lanes.LENGTH) {
            IntVector low = Lanes.loadBytes(w, codes + i)
                    .lanewise(VectorOperators.LSHR, shift)
                    .and(3);
            IntVector high = Lanes.loadBytes(w, highBits + i)
                    .lanewise(VectorOperators.LSHR, highShift)
                    .and(1);
            Unpack.store(low.or(high.lanewise(VectorOperators.LSHL, 2)).sub(4), scale, out, at + i);
        }
    }

    /// Returns the signed 6-bit scale of a group: 4 bits in bytes 0..7, 2 bits in bytes 8..11.
    private static int q3Scale(MemorySegment w, long scales, int group) {
        int low = unsignedByte(w, scales + group % 8) >> (4 * (group / 8)) & 15;
        int high = unsignedByte(w, scales + 8 + group % 4) >> (2 * (group / 4)) & 3;
        return (low | (high << 4)) - 32;
    }

    static void q4k(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += SIZE, block += 144) {
            float d = Unpack.half(w, block);
            float dMin = Unpack.half(w, block + 2);
            for (int j = 0; j < 8; j += 2) {
                float scale0 = d * scale(w, block + 4, j);
                float min0 = -(dMin * min(w, block + 4, j));
                float scale1 = d * scale(w, block + 4, j + 1);
                float min1 = -(dMin * min(w, block + 4, j + 1));
                q4Pair(w, block + 16 + 16L * j, scale0, min0, scale1, min1, out, i + 32 * j);
            }
        }
    }

    /// Decodes two sub-blocks of 32: the low nibbles of 32 bytes, then the high ones.
    private static void q4Pair(
            MemorySegment w, long codes, float scale0, float min0, float scale1, float min1, float[] out, int at) {
        for (int i = 0; i < 32; i += Lanes.LENGTH) {
            IntVector q = Lanes.loadBytes(w, codes + i);
            Unpack.store(q.and(15), scale0, min0, out, at + i);
            Unpack.store(q.lanewise(VectorOperators.LSHR, 4), scale1, min1, out, at + 32 + i);
        }
    }

    static void q5k(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += SIZE, block += 176) {
            float d = Unpack.half(w, block);
            float dMin = Unpack.half(w, block + 2);
            for (int j = 0; j < 8; j++) {
                float scale = d * scale(w, block + 4, j);
                float min = -(dMin * min(w, block + 4, j));
                q5Group(w, block + 48 + 32L * (j / 2), block + 16, j, scale, min, out, i + 32 * j);
            }
        }
    }

    private static void q5Group(
            MemorySegment w, long codes, long highBits, int j, float scale, float offset, float[] out, int at) {
        for (int i = 0; i < 32; i += Lanes.LENGTH) {
            IntVector low = Lanes.loadBytes(w, codes + i)
                    .lanewise(VectorOperators.LSHR, 4 * (j & 1))
                    .and(15);
            IntVector high = Lanes.loadBytes(w, highBits + i)
                    .lanewise(VectorOperators.LSHR, j)
                    .and(1);
            Unpack.store(low.or(high.lanewise(VectorOperators.LSHL, 4)), scale, offset, out, at + i);
        }
    }

    /// Returns the 6-bit scale of sub-block `j` of Q4_K and Q5_K (`get_scale_min_k4` in ggml).
    private static int scale(MemorySegment w, long scales, int j) {
        return j < 4
                ? unsignedByte(w, scales + j) & 63
                : (unsignedByte(w, scales + j + 4) & 15) | unsignedByte(w, scales + j - 4) >> 6 << 4;
    }

    /// Returns the 6-bit minimum of sub-block `j` of Q4_K and Q5_K.
    private static int min(MemorySegment w, long scales, int j) {
        return j < 4
                ? unsignedByte(w, scales + j + 4) & 63
                : unsignedByte(w, scales + j + 4) >> 4 | unsignedByte(w, scales + j) >> 6 << 4;
    }

    static void q6k(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += SIZE, block += 210) {
            float d = Unpack.half(w, block + 208);
            for (int part = 0; part < 8; part++) {
                int half = part / 4;
                int quarter = part / 2 % 2;
                int side = part % 2;
                long low = block + 64L * half + 32L * quarter + 16L * side;
                long high = block + 128 + 32L * half + 16L * side;
                int group = 8 * half + 2 * quarter + side;
                float scale0 = d * w.get(ValueLayout.JAVA_BYTE, block + 192 + group);
                float scale1 = d * w.get(ValueLayout.JAVA_BYTE, block + 192 + group + 4);
                q6Pair(w, low, high, 2 * quarter, scale0, scale1, out, i + 16 * group);
            }
        }
    }

    /// Decodes two groups of 16, the second 64 weights behind the first: low and high nibbles of the same 16 bytes.
    private static void q6Pair(
            MemorySegment w, long codes, long highBits, int shift, float scale0, float scale1, float[] out, int at) {
        for (int i = 0; i < 16; i += Lanes.LENGTH) {
            IntVector low = Lanes.loadBytes(w, codes + i);
            IntVector high = Lanes.loadBytes(w, highBits + i).lanewise(VectorOperators.LSHR, shift);
            IntVector q0 = low.and(15).or(high.and(3).lanewise(VectorOperators.LSHL, 4));
            IntVector q1 = low.lanewise(VectorOperators.LSHR, 4).or(high.and(0x30));
            Unpack.store(q0.sub(32), scale0, out, at + i);
            Unpack.store(q1.sub(32), scale1, out, at + 64 + i);
        }
    }

    static void iq4xs(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += SIZE, block += 136) {
            float d = Unpack.half(w, block);
            int highScales = unsignedByte(w, block + 2) | unsignedByte(w, block + 3) << 8;
            for (int b = 0; b < 8; b++) {
                int low = unsignedByte(w, block + 4 + b / 2) >> (4 * (b % 2)) & 15;
                float scale = d * ((low | (highScales >> (2 * b) & 3) << 4) - 32);
                Unpack.iq4Values(w, block + 8 + 16L * b, scale, out, i + 32 * b);
            }
        }
    }

    private static int unsignedByte(MemorySegment w, long offset) {
        return w.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
    }
}
