package dev.mixtral.tensor;

import static dev.mixtral.tensor.LittleEndian.half;
import static dev.mixtral.tensor.LittleEndian.signedByte;
import static dev.mixtral.tensor.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// Blocks of 32 elements under one f16 scale `d` and, in the `_1` types, one f16 minimum `m`.
///
/// Byte order within a block: `d`, `m`?, `u32 fifthBits`?, then the elements. Of every byte of a 4-bit type the low
/// nibble is element `j` and the high nibble element `j + 16`.
final class SimpleQuants {
    private static final int HALF = 16;

    private SimpleQuants() {}

    static void q4_0(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at);
        for (int j = 0; j < HALF; j++) {
            int pair = unsignedByte(data, at + 2 + j);
            out[to + j] = d * ((pair & 15) - 8);
            out[to + j + HALF] = d * ((pair >> 4) - 8);
        }
    }

    static void q4_1(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at);
        float m = half(data, at + 2);
        for (int j = 0; j < HALF; j++) {
            int pair = unsignedByte(data, at + 4 + j);
            out[to + j] = d * (pair & 15) + m;
            out[to + j + HALF] = d * (pair >> 4) + m;
        }
    }

    static void q5_0(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at);
        int fifthBits = data.get(LittleEndian.INT, at + 2);
        for (int j = 0; j < HALF; j++) {
            int pair = unsignedByte(data, at + 6 + j);
            out[to + j] = d * (((pair & 15) | fifthBit(fifthBits, j)) - 16);
            out[to + j + HALF] = d * (((pair >> 4) | fifthBit(fifthBits, j + HALF)) - 16);
        }
    }

    static void q5_1(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at);
        float m = half(data, at + 2);
        int fifthBits = data.get(LittleEndian.INT, at + 4);
        for (int j = 0; j < HALF; j++) {
            int pair = unsignedByte(data, at + 8 + j);
            out[to + j] = d * ((pair & 15) | fifthBit(fifthBits, j)) + m;
            out[to + j + HALF] = d * ((pair >> 4) | fifthBit(fifthBits, j + HALF)) + m;
        }
    }

    static void q8_0(MemorySegment data, long at, float[] out, int to) {
        float d = half(data, at);
        for (int j = 0; j < 32; j++) {
            out[to + j] = d * signedByte(data, at + 2 + j);
        }
    }

    private static int fifthBit(int fifthBits, int element) {
        return (fifthBits >>> element & 1) << 4;
    }
}
