package dev.mixtral.quantize;

/// The bytes of one block while it is put together.
final class BlockBytes {
    private BlockBytes() {}

    /// Stores a number as f16 and returns what it became.
    static float putHalf(byte[] block, int at, float value) {
        short half = Float.floatToFloat16(value);
        block[at] = (byte) half;
        block[at + 1] = (byte) (half >> 8);
        return Float.float16ToFloat(half);
    }

    /// Sets bits of a byte that are 0 so far.
    static void or(byte[] block, int at, int bits) {
        block[at] = (byte) (block[at] | bits);
    }

    /// Stores 32 nibbles in 16 bytes: elements 0 to 15 low, 16 to 31 high.
    static void putNibbles(byte[] block, int at, int[] levels, int from) {
        for (int j = 0; j < 16; j++) {
            block[at + j] = (byte) ((levels[from + j] & 15) | (levels[from + j + 16] & 15) << 4);
        }
    }
}
