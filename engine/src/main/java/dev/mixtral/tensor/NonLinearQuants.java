package dev.mixtral.tensor;

import static dev.mixtral.tensor.LittleEndian.half;
import static dev.mixtral.tensor.LittleEndian.signedByte;
import static dev.mixtral.tensor.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// Types whose codes index a table that is denser around zero, as weights are.
final class NonLinearQuants {
    private NonLinearQuants() {}

    /// 32 elements: `f16 d`, 16 bytes of nibbles, low ones first.
    static void iq4Nl(MemorySegment data, long at, float[] out, int to) {
        nibbles(data, at + 2, half(data, at), out, to);
    }

    /// 256 elements in 8 sub-blocks of 32: `f16 d`, `u16 scalesHigh` (2 bits each), 4 bytes of `scalesLow` (4 bits
    /// each), 128 bytes of nibbles.
    static void iq4Xs(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at);
        for (int sub = 0; sub < 8; sub++) {
            nibbles(data, at + 8 + 16L * sub, d * scale(data, at, sub), out, to + 32 * sub);
        }
    }

    /// Returns the scale of a sub-block of an `IQ4_XS` block.
    static int scale(MemorySegment data, long at, int sub) {
        int scalesHigh = Short.toUnsignedInt(data.get(LittleEndian.SHORT, at + 2));
        int low = unsignedByte(data, at + 4 + sub / 2) >> (4 * (sub % 2)) & 15;
        int high = scalesHigh >> (2 * sub) & 3;
        return (low | high << 4) - 32;
    }

    /// 256 elements in 8 sub-blocks of 32: `f16 d`, `i8 scales[8]`, the low two bits of all codes (64 bytes, four codes
    /// each), the high bits (32 bytes, bit `j % 8` of byte `j / 8`).
    static void nl3(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at);
        for (int j = 0; j < 256; j++) {
            int low = unsignedByte(data, at + 10 + j / 4) >> (2 * (j % 4)) & 3;
            int high = unsignedByte(data, at + 74 + j / 8) >> (j % 8) & 1;
            out[to + j] = d * signedByte(data, at + 2 + j / 32) * nl3Value(low | high << 2);
        }
    }

    /// Returns an entry of the table of [DType#NL3]: the quantiser of least error for a normal distribution
    /// (Lloyd–Max), scaled to 8 bits.
    static int nl3Value(int code) {
        return switch (code) {
            case 0 -> -127;
            case 1 -> -79;
            case 2 -> -45;
            case 3 -> -14;
            case 4 -> 14;
            case 5 -> 45;
            case 6 -> 79;
            default -> 127;
        };
    }

    private static void nibbles(MemorySegment data, long at, float scale, float[] out, int to) {
        for (int j = 0; j < 16; j++) {
            int pair = unsignedByte(data, at + j);
            out[to + j] = scale * value(pair & 15);
            out[to + j + 16] = scale * value(pair >> 4);
        }
    }

    /// Returns an entry of ggml's `kvalues_iq4nl`.
    static int value(int nibble) {
        return switch (nibble) {
            case 0 -> -127;
            case 1 -> -104;
            case 2 -> -83;
            case 3 -> -65;
            case 4 -> -49;
            case 5 -> -35;
            case 6 -> -22;
            case 7 -> -10;
            case 8 -> 1;
            case 9 -> 13;
            case 10 -> 25;
            case 11 -> 38;
            case 12 -> 53;
            case 13 -> 69;
            case 14 -> 89;
            default -> 113;
        };
    }
}
