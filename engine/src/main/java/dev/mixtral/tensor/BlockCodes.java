package dev.mixtral.tensor;

import static dev.mixtral.tensor.LittleEndian.signedByte;
import static dev.mixtral.tensor.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// Takes ggml's quantisation blocks apart into the numbers that [PackedMatrix] stores: codes in quads of 4 columns,
/// and scales as they are.
///
/// Four codes at a time, one in each byte of an `int`: packing a large model is a matter of minutes otherwise.
final class BlockCodes {
    private static final int NIBBLES = 0x0f0f0f0f;
    private static final int PAIRS = 0x03030303;
    private static final int BITS = 0x01010101;

    private BlockCodes() {}

    /// Reads the codes of 32 columns.
    ///
    /// @param data the tensor
    /// @param at start of the block
    /// @param sub which 32 columns of the block
    /// @param quads receives 8 quads of codes, the leftmost column in the lowest byte
    static void read(DType type, MemorySegment data, long at, int sub, int[] quads) {
        switch (type) {
            case Q4_0, IQ4_NL -> nibbleHalves(data, at + 2, quads);
            case Q4_1 -> nibbleHalves(data, at + 4, quads);
            case Q5_0 -> {
                nibbleHalves(data, at + 6, quads);
                fifthBits(data.get(LittleEndian.INT, at + 2), quads);
            }
            case Q5_1 -> {
                nibbleHalves(data, at + 8, quads);
                fifthBits(data.get(LittleEndian.INT, at + 4), quads);
            }
            case Q8_0 -> {
                for (int j = 0; j < 8; j++) {
                    quads[j] = data.get(LittleEndian.INT, at + 2 + 4L * j) ^ 0x80808080;
                }
            }
            case Q2_K -> shifted(data, at + 16 + 32L * (sub / 4), 2 * (sub % 4), PAIRS, 0, quads);
            case Q3_K -> {
                shifted(data, at + 32 + 32L * (sub / 4), 2 * (sub % 4), PAIRS, 0, quads);
                addShifted(data, at, sub, BITS, 2, quads);
            }
            case Q4_K -> shifted(data, at + 16 + 32L * (sub / 2), 4 * (sub % 2), NIBBLES, 0, quads);
            case Q5_K -> {
                shifted(data, at + 48 + 32L * (sub / 2), 4 * (sub % 2), NIBBLES, 0, quads);
                addShifted(data, at + 16, sub, BITS, 4, quads);
            }
            case Q6_K -> {
                int quarter = sub % 4;
                shifted(data, at + 64L * (sub / 4) + 32L * (quarter % 2), 4 * (quarter / 2), NIBBLES, 0, quads);
                addShifted(data, at + 128 + 32L * (sub / 4), 2 * quarter, PAIRS, 4, quads);
            }
            case IQ4_XS -> nibbleHalves(data, at + 8 + 16L * sub, quads);
            case NL3 -> {
                int bits = data.get(LittleEndian.INT, at + 74 + 4L * sub);
                for (int j = 0; j < 8; j++) {
                    int pairs = unsignedByte(data, at + 10 + 8L * sub + j);
                    quads[j] = Integer.expand(pairs, PAIRS) | Integer.expand(bits >>> (4 * j), BITS) << 2;
                }
            }
            case F32, F16, BF16 -> throw new IllegalArgumentException(type + " has no codes");
        }
    }

    /// 16 bytes whose low nibbles are columns 0 … 15 and whose high nibbles are columns 16 … 31.
    private static void nibbleHalves(MemorySegment data, long at, int[] quads) {
        for (int j = 0; j < 4; j++) {
            int pairs = data.get(LittleEndian.INT, at + 4L * j);
            quads[j] = pairs & NIBBLES;
            quads[j + 4] = pairs >>> 4 & NIBBLES;
        }
    }

    /// Bit `c` of a word is the fifth bit of column `c`.
    private static void fifthBits(int bits, int[] quads) {
        for (int j = 0; j < 8; j++) {
            // The multiplication puts bit i of four at the bottom of byte i.
            quads[j] |= ((bits >>> (4 * j) & 15) * 0x00204081 & BITS) << 4;
        }
    }

    private static void shifted(MemorySegment data, long at, int shift, int mask, int to, int[] quads) {
        for (int j = 0; j < 8; j++) {
            quads[j] = (data.get(LittleEndian.INT, at + 4L * j) >>> shift & mask) << to;
        }
    }

    private static void addShifted(MemorySegment data, long at, int shift, int mask, int to, int[] quads) {
        for (int j = 0; j < 8; j++) {
            quads[j] |= (data.get(LittleEndian.INT, at + 4L * j) >>> shift & mask) << to;
        }
    }

    /// Returns where a block keeps its f16 scale.
    static int scaleOffset(DType type) {
        return switch (type) {
            case Q2_K -> 80;
            case Q3_K -> 108;
            case Q6_K -> 208;
            default -> 0;
        };
    }

    /// Returns the 8-bit scale of a group as [PackedType] stores it; of Q2_K the byte of scale and minimum.
    ///
    /// @param group which group of 16 or 32 columns of the block
    static int scale(DType type, MemorySegment data, long at, int group) {
        return switch (type) {
            case Q2_K -> unsignedByte(data, at + group);
            case Q3_K -> KQuants.q3Scale(data, at + 96, group) - 32;
            case Q4_K, Q5_K -> KQuants.q4Scale(data, at + 4, group);
            case Q6_K -> signedByte(data, at + 192 + group);
            case IQ4_XS -> NonLinearQuants.scale(data, at, group);
            case NL3 -> signedByte(data, at + 2 + group);
            default -> throw new IllegalArgumentException(type + " has no groups with scales of 8 bits");
        };
    }

    /// Returns the minimum of a group of 32 columns.
    static int min(MemorySegment data, long at, int group) {
        return KQuants.q4Min(data, at + 4, group);
    }
}
