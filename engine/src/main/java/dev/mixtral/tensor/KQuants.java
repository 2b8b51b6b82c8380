package dev.mixtral.tensor;

import static dev.mixtral.tensor.LittleEndian.half;
import static dev.mixtral.tensor.LittleEndian.signedByte;
import static dev.mixtral.tensor.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// Super-blocks of 256 elements whose small groups have integer scales under one f16 scale `d` (and a minimum scale
/// `dmin`).
///
/// Q2, Q3 and Q6 have 16 groups of 16 elements. Group `g` lies in half `g / 8`, and there in quarter `g % 8 / 2`: the
/// four quarters of a half share the same 32 bytes, each at its own bit position; `g % 2` chooses 16 of those bytes.
/// Q4 and Q5 have 8 groups of 32 elements; two neighbours share 32 bytes as low and high nibbles.
final class KQuants {
    private KQuants() {}

    /// `u8 scales[16]` (low nibble scale, high nibble minimum), `qs[64]`, `f16 d`, `f16 dmin`.
    static void q2(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at + 80);
        float dmin = half(data, at + 82);
        for (int g = 0; g < 16; g++) {
            int scaleAndMin = unsignedByte(data, at + g);
            float scale = d * (scaleAndMin & 15);
            float min = dmin * (scaleAndMin >> 4);
            long qs = at + 16 + 32L * (g / 8) + 16L * (g % 2);
            int shift = 2 * quarter(g);
            for (int j = 0; j < 16; j++) {
                out[to + 16 * g + j] = scale * (unsignedByte(data, qs + j) >> shift & 3) - min;
            }
        }
    }

    /// `highBits[32]`, `qs[64]`, `scales[12]`, `f16 d`. A cleared high bit subtracts 4.
    static void q3(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at + 108);
        for (int g = 0; g < 16; g++) {
            float scale = d * (q3Scale(data, at + 96, g) - 32);
            long highBits = at + 16L * (g % 2);
            long qs = at + 32 + 32L * (g / 8) + 16L * (g % 2);
            int shift = 2 * quarter(g);
            int highShift = 4 * (g / 8) + quarter(g);
            for (int j = 0; j < 16; j++) {
                int low = unsignedByte(data, qs + j) >> shift & 3;
                int high = unsignedByte(data, highBits + j) >> highShift & 1;
                out[to + 16 * g + j] = scale * (low - 4 * (1 - high));
            }
        }
    }

    /// `f16 d`, `f16 dmin`, `scales[12]`, `qs[128]`.
    static void q4(MemorySegment data, long at, float[] out, int to) {
        for (int g = 0; g < 8; g++) {
            float scale = half(data, at) * q4Scale(data, at + 4, g);
            float min = half(data, at + 2) * q4Min(data, at + 4, g);
            long qs = at + 16 + 32L * (g / 2);
            for (int j = 0; j < 32; j++) {
                out[to + 32 * g + j] = scale * nibble(data, qs + j, g % 2) - min;
            }
        }
    }

    /// `f16 d`, `f16 dmin`, `scales[12]`, `fifthBits[32]` (bit `g` of byte `j`), `qs[128]`.
    static void q5(MemorySegment data, long at, float[] out, int to) {
        for (int g = 0; g < 8; g++) {
            float scale = half(data, at) * q4Scale(data, at + 4, g);
            float min = half(data, at + 2) * q4Min(data, at + 4, g);
            long qs = at + 48 + 32L * (g / 2);
            for (int j = 0; j < 32; j++) {
                int fifth = unsignedByte(data, at + 16 + j) >> g & 1;
                out[to + 32 * g + j] = scale * (nibble(data, qs + j, g % 2) | fifth << 4) - min;
            }
        }
    }

    /// `low[128]` (nibbles), `high[64]` (2 bits), `i8 scales[16]`, `f16 d`.
    static void q6(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at + 208);
        for (int g = 0; g < 16; g++) {
            float scale = d * signedByte(data, at + 192 + g);
            int quarter = quarter(g);
            long lowBits = at + 64L * (g / 8) + 32L * (quarter % 2) + 16L * (g % 2);
            long highBits = at + 128 + 32L * (g / 8) + 16L * (g % 2);
            for (int j = 0; j < 16; j++) {
                int low = nibble(data, lowBits + j, quarter / 2);
                int high = unsignedByte(data, highBits + j) >> (2 * quarter) & 3;
                out[to + 16 * g + j] = scale * ((low | high << 4) - 32);
            }
        }
    }

    private static int quarter(int g) {
        return g % 8 / 2;
    }

    /// Returns the low (0) or high (1) nibble of a byte.
    private static int nibble(MemorySegment data, long at, int which) {
        return unsignedByte(data, at) >> (4 * which) & 15;
    }

    /// Returns one of 16 six-bit scales: 8 bytes hold the low four bits of all, 4 bytes the high two.
    static int q3Scale(MemorySegment data, long at, int g) {
        int low = nibble(data, at + g % 8, g / 8);
        int high = unsignedByte(data, at + 8 + g % 4) >> (2 * (g / 4)) & 3;
        return low | high << 4;
    }

    /// Returns one of 8 six-bit scales. The first four lie plainly in bytes 0 to 3, whose upper two bits lend the other
    /// four theirs.
    static int q4Scale(MemorySegment data, long at, int g) {
        if (g < 4) {
            return unsignedByte(data, at + g) & 63;
        }
        return nibble(data, at + g + 4, 0) | unsignedByte(data, at + g - 4) >> 6 << 4;
    }

    /// Returns one of 8 six-bit minima, packed like [#q4Scale] with bytes 4 to 7 and the high nibbles of 8 to 11.
    static int q4Min(MemorySegment data, long at, int g) {
        if (g < 4) {
            return unsignedByte(data, at + g + 4) & 63;
        }
        return nibble(data, at + g + 4, 1) | unsignedByte(data, at + g) >> 6 << 4;
    }
}
