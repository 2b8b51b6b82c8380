package dev.mixtral.tensor;

import java.lang.foreign.MemorySegment;

/// Decodes stored elements to 32-bit floats, one plain loop per type: the specification of every faster decoder.
///
/// All results are exact to the last bit of what ggml's `dequantize_row_*` computes, signs of zeros included; hence
/// the products below keep ggml's order. The families: [SimpleQuants], [KQuants], [NonLinearQuants].
public final class Dequantizer {
    private Dequantizer() {}

    /// Decodes `n` elements of `type` that start at byte `offset` of `data`.
    ///
    /// @param n a multiple of the type's block size
    /// @param out `[outOffset, outOffset + n)` is overwritten
    /// @throws IllegalArgumentException if `n` is negative or not a multiple of the block size
    /// @throws IndexOutOfBoundsException if `data` or `out` is too short
    public static void dequantize(DType type, MemorySegment data, long offset, float[] out, int outOffset, int n) {
        MemorySegment stored = data.asSlice(offset, type.byteSize(n));
        switch (type) {
            case F32 -> float32(stored, out, outOffset, n);
            case F16 -> float16(stored, out, outOffset, n);
            case BF16 -> bfloat16(stored, out, outOffset, n);
            default -> blocks(type, stored, out, outOffset, n);
        }
    }

    private static void float32(MemorySegment data, float[] out, int outOffset, int n) {
        for (int i = 0; i < n; i++) {
            out[outOffset + i] = Float.intBitsToFloat(data.get(LittleEndian.INT, 4L * i));
        }
    }

    private static void float16(MemorySegment data, float[] out, int outOffset, int n) {
        for (int i = 0; i < n; i++) {
            out[outOffset + i] = LittleEndian.half(data, 2L * i);
        }
    }

    private static void bfloat16(MemorySegment data, float[] out, int outOffset, int n) {
        for (int i = 0; i < n; i++) {
            out[outOffset + i] = BFloat16.toFloat(data.get(LittleEndian.SHORT, 2L * i));
        }
    }

    private static void blocks(DType type, MemorySegment data, float[] out, int outOffset, int n) {
        BlockDecoder decoder = decoder(type);
        for (int block = 0; block < n / type.blockSize(); block++) {
            decoder.decode(data, (long) block * type.blockBytes(), out, outOffset + block * type.blockSize());
        }
    }

    private static BlockDecoder decoder(DType type) {
        return switch (type) {
            case Q4_0 -> SimpleQuants::q4_0;
            case Q4_1 -> SimpleQuants::q4_1;
            case Q5_0 -> SimpleQuants::q5_0;
            case Q5_1 -> SimpleQuants::q5_1;
            case Q8_0 -> SimpleQuants::q8_0;
            case Q2_K -> KQuants::q2;
            case Q3_K -> KQuants::q3;
            case Q4_K -> KQuants::q4;
            case Q5_K -> KQuants::q5;
            case Q6_K -> KQuants::q6;
            case IQ4_NL -> NonLinearQuants::iq4Nl;
            case IQ4_XS -> NonLinearQuants::iq4Xs;
            case NL3 -> NonLinearQuants::nl3;
            case F32, F16, BF16 -> throw new AssertionError(type + " has no blocks");
        };
    }

    /// Decodes one block that starts at byte `at` of `data` into `out` from index `to` on.
    @FunctionalInterface
    private interface BlockDecoder {
        void decode(MemorySegment data, long at, float[] out, int to);
    }
}
