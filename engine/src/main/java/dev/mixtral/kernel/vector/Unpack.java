package dev.mixtral.kernel.vector;

import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Decodes stored weights to floats, 16 at a time: what [Dequantizer] specifies, bit for bit.
///
/// This class holds the plain types and those with blocks of 32; super-blocks of 256 are in [UnpackSuperBlocks].
final class Unpack {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// The 16 values of the non-linear 4-bit types (`kvalues_iq4nl` in ggml).
    private static final byte[] IQ4_VALUES = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private Unpack() {}

    /// Decodes `n` elements that start at byte `offset`.
    ///
    /// @param n a multiple of the type's block size
    /// @param out `[outOffset, outOffset + n)` is overwritten
    static void unpack(DType type, MemorySegment w, long offset, float[] out, int outOffset, int n) {
        switch (type) {
            case F32 -> f32(w, offset, out, outOffset, n);
            case F16 -> f16(w, offset, out, outOffset, n);
            case BF16 -> bf16(w, offset, out, outOffset, n);
            case Q4_0 -> q4x0(w, offset, out, outOffset, n);
            case Q4_1 -> q4x1(w, offset, out, outOffset, n);
            case Q5_0 -> q5x0(w, offset, out, outOffset, n);
            case Q5_1 -> q5x1(w, offset, out, outOffset, n);
            case Q8_0 -> q8x0(w, offset, out, outOffset, n);
            case IQ4_NL -> iq4nl(w, offset, out, outOffset, n);
            case Q2_K -> UnpackSuperBlocks.q2k(w, offset, out, outOffset, n);
            case Q3_K -> UnpackSuperBlocks.q3k(w, offset, out, outOffset, n);
            case Q4_K -> UnpackSuperBlocks.q4k(w, offset, out, outOffset, n);
            case Q5_K -> UnpackSuperBlocks.q5k(w, offset, out, outOffset, n);
            case Q6_K -> UnpackSuperBlocks.q6k(w, offset, out, outOffset, n);
            case IQ4_XS -> UnpackSuperBlocks.iq4xs(w, offset, out, outOffset, n);
        }
    }

    private static void f32(MemorySegment w, long offset, float[] out, int at, int n) {
        MemorySegment.copy(w, INT, offset, MemorySegment.ofArray(out), INT, (long) at * Float.BYTES, n);
    }

    private static void f16(MemorySegment w, long offset, float[] out, int at, int n) {
        int i = 0;
        for (; i <= n - Lanes.LENGTH; i += Lanes.LENGTH) {
            Lanes.loadF16(w, offset + 2L * i).intoArray(out, at + i);
        }
        Dequantizer.dequantize(DType.F16, w, offset + 2L * i, out, at + i, n - i);
    }

    private static void bf16(MemorySegment w, long offset, float[] out, int at, int n) {
        int i = 0;
        for (; i <= n - Lanes.LENGTH; i += Lanes.LENGTH) {
            Lanes.loadBf16(w, offset + 2L * i).intoArray(out, at + i);
        }
        Dequantizer.dequantize(DType.BF16, w, offset + 2L * i, out, at + i, n - i);
    }

    private static void q4x0(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 18) {
            float d = half(w, block);
            ByteVector q = Lanes.codes(w, block + 2);
            Lanes.storeScaled(low(q).sub((byte) 8), d, out, i);
            Lanes.storeScaled(high(q).sub((byte) 8), d, out, i + 16);
        }
    }

    private static void q4x1(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 20) {
            float d = half(w, block);
            float m = half(w, block + 2);
            ByteVector q = Lanes.codes(w, block + 4);
            Lanes.storeScaled(low(q), d, m, out, i);
            Lanes.storeScaled(high(q), d, m, out, i + 16);
        }
    }

    private static void q5x0(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 22) {
            float d = half(w, block);
            int fifthBits = w.get(INT, block + 2);
            ByteVector q = Lanes.codes(w, block + 6);
            Lanes.storeScaled(withFifthBit(low(q), fifthBits).sub((byte) 16), d, out, i);
            Lanes.storeScaled(withFifthBit(high(q), fifthBits >>> 16).sub((byte) 16), d, out, i + 16);
        }
    }

    private static void q5x1(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 24) {
            float d = half(w, block);
            float m = half(w, block + 2);
            int fifthBits = w.get(INT, block + 4);
            ByteVector q = Lanes.codes(w, block + 8);
            Lanes.storeScaled(withFifthBit(low(q), fifthBits), d, m, out, i);
            Lanes.storeScaled(withFifthBit(high(q), fifthBits >>> 16), d, m, out, i + 16);
        }
    }

    private static void q8x0(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 34) {
            float d = half(w, block);
            Lanes.storeScaled(Lanes.codes(w, block + 2), d, out, i);
            Lanes.storeScaled(Lanes.codes(w, block + 18), d, out, i + 16);
        }
    }

    private static void iq4nl(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 18) {
            float d = half(w, block);
            ByteVector q = Lanes.codes(w, block + 2);
            Lanes.storeScaled(iq4Values(low(q)), d, out, i);
            Lanes.storeScaled(iq4Values(high(q)), d, out, i + 16);
        }
    }

    /// Returns the binary16 value at `offset`.
    static float half(MemorySegment w, long offset) {
        return Float.float16ToFloat(w.get(SHORT, offset));
    }

    /// Returns the low nibble of every byte.
    static ByteVector low(ByteVector codes) {
        return codes.and((byte) 15);
    }

    /// Returns the high nibble of every byte.
    static ByteVector high(ByteVector codes) {
        return Lanes.shiftRight(codes, 4).and((byte) 15);
    }

    /// Looks 4-bit codes up in the table of the non-linear types.
    static ByteVector iq4Values(ByteVector codes) {
        return codes.selectFrom(ByteVector.fromArray(Lanes.CODES, IQ4_VALUES, 0));
    }

    private static ByteVector withFifthBit(ByteVector codes, int bits) {
        VectorMask<Byte> mask = VectorMask.fromLong(Lanes.CODES, bits & 0xffffL);
        return codes.lanewise(VectorOperators.OR, (byte) 16, mask);
    }
}
