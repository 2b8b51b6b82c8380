package dev.mixtral.kernel.vector;

import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Decodes stored weights to floats, a vector at a time: what [Dequantizer] specifies, bit for bit.
///
/// Products of codes and scales have at most 24 significant bits in every type, so a fused addition of the offset
/// rounds as the specification does. This class holds the plain types and those with blocks of 32; super-blocks of
/// 256 are in [UnpackSuperBlocks].
final class Unpack {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// The 16 values of the non-linear 4-bit types (`kvalues_iq4nl` in ggml).
    private static final float[] IQ4_VALUES = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
    };

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
            case NL3 -> Dequantizer.dequantize(DType.NL3, w, offset, out, outOffset, n);
        }
    }

    private static void f32(MemorySegment w, long offset, float[] out, int at, int n) {
        MemorySegment.copy(w, FLOAT, offset, out, at, n);
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
            for (int j = 0; j < 16; j += Lanes.LENGTH) {
                IntVector q = Lanes.loadBytes(w, block + 2 + j);
                store(q.and(15).sub(8), d, out, i + j);
                store(q.lanewise(VectorOperators.LSHR, 4).sub(8), d, out, i + 16 + j);
            }
        }
    }

    private static void q4x1(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 20) {
            float d = half(w, block);
            float m = half(w, block + 2);
            for (int j = 0; j < 16; j += Lanes.LENGTH) {
                IntVector q = Lanes.loadBytes(w, block + 4 + j);
                store(q.and(15), d, m, out, i + j);
                store(q.lanewise(VectorOperators.LSHR, 4), d, m, out, i + 16 + j);
            }
        }
    }

    private static void q5x0(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 22) {
            float d = half(w, block);
            int high = w.get(INT, block + 2);
            for (int j = 0; j < 16; j += Lanes.LENGTH) {
                IntVector q = Lanes.loadBytes(w, block + 6 + j);
                store(q.and(15).or(fifthBit(high >>> j)).sub(16), d, out, i + j);
                IntVector upper = q.lanewise(VectorOperators.LSHR, 4).or(fifthBit(high >>> (16 + j)));
                store(upper.sub(16), d, out, i + 16 + j);
            }
        }
    }

    private static void q5x1(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 24) {
            float d = half(w, block);
            float m = half(w, block + 2);
            int high = w.get(INT, block + 4);
            for (int j = 0; j < 16; j += Lanes.LENGTH) {
                IntVector q = Lanes.loadBytes(w, block + 8 + j);
                store(q.and(15).or(fifthBit(high >>> j)), d, m, out, i + j);
                IntVector upper = q.lanewise(VectorOperators.LSHR, 4).or(fifthBit(high >>> (16 + j)));
                store(upper, d, m, out, i + 16 + j);
            }
        }
    }

    /// Returns lane `i` of bits `i`, moved to where the fifth bit of a code belongs.
    private static IntVector fifthBit(int bits) {
        return IntVector.broadcast(Lanes.INTS, bits)
                .lanewise(VectorOperators.LSHR, Lanes.LANE_NUMBERS)
                .and(1)
                .lanewise(VectorOperators.LSHL, 4);
    }

    private static void q8x0(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 34) {
            float d = half(w, block);
            for (int j = 0; j < 32; j += Lanes.LENGTH) {
                IntVector q = Lanes.loadSignedBytes(w, block + 2 + j);
                store(q, d, out, i + j);
            }
        }
    }

    private static void iq4nl(MemorySegment w, long offset, float[] out, int at, int n) {
        long block = offset;
        for (int i = at; i < at + n; i += 32, block += 18) {
            iq4Values(w, block + 2, half(w, block), out, i);
        }
    }

    /// Decodes 32 codes of 4 bits by the table of the non-linear types.
    static void iq4Values(MemorySegment w, long codes, float scale, float[] out, int at) {
        for (int i = 0; i < 16; i += Lanes.LENGTH) {
            IntVector q = Lanes.loadBytes(w, codes + i);
            iq4Lookup(q.and(15)).mul(scale).intoArray(out, at + i);
            iq4Lookup(q.lanewise(VectorOperators.LSHR, 4)).mul(scale).intoArray(out, at + 16 + i);
        }
    }

    private static FloatVector iq4Lookup(IntVector codes) {
        if (Lanes.LENGTH == 16) {
            return Lanes.load(IQ4_VALUES, 0).rearrange(codes.toShuffle().cast(Lanes.FLOATS));
        }
        int[] indices = codes.toArray();
        return FloatVector.fromArray(Lanes.FLOATS, IQ4_VALUES, 0, indices, 0);
    }

    /// Stores `codes * scale` as [Lanes#LENGTH] floats.
    static void store(IntVector codes, float scale, float[] out, int at) {
        Lanes.toFloats(codes).mul(scale).intoArray(out, at);
    }

    /// Stores `codes * scale + offset` as [Lanes#LENGTH] floats.
    static void store(IntVector codes, float scale, float offset, float[] out, int at) {
        Lanes.toFloats(codes)
                .fma(Lanes.broadcast(scale), Lanes.broadcast(offset))
                .intoArray(out, at);
    }

    /// Returns the binary16 value at `offset`.
    static float half(MemorySegment w, long offset) {
        return Float.float16ToFloat(w.get(SHORT, offset));
    }
}
