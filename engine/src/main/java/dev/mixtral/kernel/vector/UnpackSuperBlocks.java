package dev.mixtral.kernel.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;

/// Decodes the types with super-blocks of 256 weights: K-quants and IQ4_XS.
///
/// Products of a scale, a sub-scale and a code have at most 24 significant bits, so they are exact in any order.
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
                ByteVector q = Lanes.shiftRight(Lanes.codes(w, codes), group / 2 % 4 * 2)
                        .and((byte) 3);
                Lanes.storeScaled(q, d * (scale & 15), -(dMin * (scale >> 4)), out, i + 16 * group);
            }
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
                ByteVector q =
                        Lanes.shiftRight(Lanes.codes(w, codes), 2 * shift).and((byte) 3);
                ByteVector high = Lanes.shiftRight(Lanes.codes(w, highBits), 4 * half + shift)
                        .and((byte) 1);
                ByteVector value = q.or(Lanes.shiftLeft(high, 2)).sub((byte) 4);
                Lanes.storeScaled(value, d * q3Scale(w, block + 96, group), out, i + 16 * group);
            }
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
                long codes = block + 16 + 16L * j;
                ByteVector q0 = Lanes.codes(w, codes);
                ByteVector q1 = Lanes.codes(w, codes + 16);
                float scale = d * scale(w, block + 4, j);
                float min = -(dMin * min(w, block + 4, j));
                Lanes.storeScaled(Unpack.low(q0), scale, min, out, i + 32 * j);
                Lanes.storeScaled(Unpack.low(q1), scale, min, out, i + 32 * j + 16);
                scale = d * scale(w, block + 4, j + 1);
                min = -(dMin * min(w, block + 4, j + 1));
                Lanes.storeScaled(Unpack.high(q0), scale, min, out, i + 32 * j + 32);
                Lanes.storeScaled(Unpack.high(q1), scale, min, out, i + 32 * j + 48);
            }
        }
    }

    static void q5k(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += SIZE, block += 176) {
            float d = Unpack.half(w, block);
            float dMin = Unpack.half(w, block + 2);
            ByteVector high0 = Lanes.codes(w, block + 16);
            ByteVector high1 = Lanes.codes(w, block + 32);
            for (int j = 0; j < 8; j++) {
                long codes = block + 48 + 32L * (j / 2);
                float scale = d * scale(w, block + 4, j);
                float min = -(dMin * min(w, block + 4, j));
                ByteVector q0 =
                        Lanes.shiftRight(Lanes.codes(w, codes), 4 * (j & 1)).and((byte) 15);
                ByteVector q1 = Lanes.shiftRight(Lanes.codes(w, codes + 16), 4 * (j & 1))
                        .and((byte) 15);
                Lanes.storeScaled(q0.or(fifthBit(high0, j)), scale, min, out, i + 32 * j);
                Lanes.storeScaled(q1.or(fifthBit(high1, j)), scale, min, out, i + 32 * j + 16);
            }
        }
    }

    private static ByteVector fifthBit(ByteVector high, int j) {
        return Lanes.shiftLeft(Lanes.shiftRight(high, j).and((byte) 1), 4);
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
            for (int group = 0; group < 16; group++) {
                int half = group / 8;
                int quarter = group / 2 % 4;
                int side = 16 * (group % 2);
                ByteVector low = Lanes.codes(w, block + 64L * half + 32L * (quarter & 1) + side);
                ByteVector high = Lanes.codes(w, block + 128 + 32L * half + side);
                ByteVector q = Lanes.shiftRight(low, 4 * (quarter >> 1))
                        .and((byte) 15)
                        .or(Lanes.shiftLeft(Lanes.shiftRight(high, 2 * quarter).and((byte) 3), 4))
                        .sub((byte) 32);
                Lanes.storeScaled(q, d * w.get(ValueLayout.JAVA_BYTE, block + 192 + group), out, i + 16 * group);
            }
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
                ByteVector q = Lanes.codes(w, block + 8 + 16L * b);
                Lanes.storeScaled(Unpack.iq4Values(Unpack.low(q)), scale, out, i + 32 * b);
                Lanes.storeScaled(Unpack.iq4Values(Unpack.high(q)), scale, out, i + 32 * b + 16);
            }
        }
    }

    private static int unsignedByte(MemorySegment w, long offset) {
        return w.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
    }
}
