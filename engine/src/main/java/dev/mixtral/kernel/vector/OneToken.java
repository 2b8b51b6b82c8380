package dev.mixtral.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.OR;
import static jdk.incubator.vector.VectorOperators.S2I;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/// Products of one token with one panel in a single pass, which is what reads memory fastest, for the types that most
/// weights have. The others take the way of [PackedBatch].
///
/// A 16-bit lane sums as many products as fit: 16 of a 4-bit code and an activation (16 · 15 · 127 = 30,480) or 4 of
/// a 6-bit code; codes of 8 bits are two of 4 bits.
///
/// The loops call the Vector API only, no helpers: C2 inlines the API come what may, but a method of ours only within
/// its budget, and a vector that a call returns is an object on the heap.
final class OneToken {
    /// Multiplies two vectors of [Lanes#LENGTH] rows by one token: they share what is made of its activations.
    @FunctionalInterface
    interface Product {
        /// Writes the products to `sums[at0]` and `sums[at1]` and after.
        ///
        /// @param panel0 where the panel of the first rows starts in `w`
        /// @param row0 the first of them in that panel
        /// @param panel1 where the panel of the second rows starts, which may be the same
        /// @param row1 the first of them in that panel
        /// @param numSubs sub-blocks of a panel
        /// @param pairs the token's ([ActivationPairs]) from index `pairsAt` on
        /// @param scales the token's ([QuantizedRows#scales]) from index `scalesAt` on
        void multiply(
                MemorySegment w,
                long panel0,
                int row0,
                long panel1,
                int row1,
                int numSubs,
                int[] pairs,
                int pairsAt,
                float[] scales,
                int scalesAt,
                float[] sums,
                int at0,
                int at1);
    }

    private static final VectorSpecies<Float> FLOATS = Lanes.FLOATS;
    private static final VectorSpecies<Integer> INTS = Lanes.INTS;
    private static final VectorSpecies<Short> SHORTS = Lanes.SHORTS;
    private static final VectorSpecies<Byte> BYTES = Lanes.BYTES;
    private static final VectorSpecies<Short> ROW_SHORTS = Lanes.ROW_SHORTS;
    private static final VectorSpecies<Byte> ROW_BYTES = Lanes.ROW_BYTES;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    /// The lowest 4 bits of both 16-bit halves of a lane. Codes are shifted in lanes of 32 bits, where C2 knows
    /// shifts by a constant.
    private static final int NIBBLES = 0x000f000f;

    private static final int SCALES = QuantizedRows.SCALES_PER_RUN;
    private static final int PAIRS = ActivationPairs.PER_RUN;
    private static final int ROWS = PackedType.ROWS;
    private static final int P4_0_BYTES = PackedType.P4_0.subBlockBytes();
    private static final int P8_0_BYTES = PackedType.P8_0.subBlockBytes();
    private static final int P4_K_BYTES = PackedType.P4_K.subBlockBytes();
    private static final int P4_K_SUPER = PackedType.P4_K.superBlockBytes();
    private static final int P4_K_HEADER = PackedType.P4_K.superHeaderBytes();

    private OneToken() {}

    /// Returns the single pass for a type, or null if it has none.
    static @Nullable Product of(PackedType type) {
        return switch (type) {
            case P4_0 -> OneToken::p4x0;
            case P8_0 -> OneToken::p8x0;
            case P4_K -> OneToken::p4K;
            case P6_K -> OneTokenSixBits::p6K;
            default -> null;
        };
    }

    private static void p4x0(
            MemorySegment w,
            long panel0,
            int row0,
            long panel1,
            int row1,
            int numSubs,
            int[] pairs,
            int pairsAt,
            float[] scales,
            int scalesAt,
            float[] sums,
            int at0,
            int at1) {
        FloatVector acc0 = FloatVector.zero(FLOATS);
        FloatVector acc1 = acc0;
        for (int sub = 0; sub < numSubs; sub++) {
            long block0 = panel0 + (long) sub * P4_0_BYTES;
            long plane0 = block0 + 2L * ROWS + 4L * row0;
            long block1 = panel1 + (long) sub * P4_0_BYTES;
            long plane1 = block1 + 2L * ROWS + 4L * row1;
            ShortVector s0 = ShortVector.zero(SHORTS);
            ShortVector s1 = s0;
            for (int j = 0; j < 4; j++) {
                IntVector v0 = ByteVector.fromMemorySegment(BYTES, w, plane0 + 64L * j, ORDER)
                        .reinterpretAsInts();
                IntVector v1 = ByteVector.fromMemorySegment(BYTES, w, plane1 + 64L * j, ORDER)
                        .reinterpretAsInts();
                int pair = pairsAt + sub * PAIRS + j;
                ShortVector y = IntVector.broadcast(INTS, pairs[pair]).reinterpretAsShorts();
                s0 = s0.add(v0.and(NIBBLES).reinterpretAsShorts().mul(y));
                s1 = s1.add(v1.and(NIBBLES).reinterpretAsShorts().mul(y));
                y = IntVector.broadcast(INTS, pairs[pair + 4]).reinterpretAsShorts();
                s0 = s0.add(
                        v0.lanewise(LSHR, 8).and(NIBBLES).reinterpretAsShorts().mul(y));
                s1 = s1.add(
                        v1.lanewise(LSHR, 8).and(NIBBLES).reinterpretAsShorts().mul(y));
                y = IntVector.broadcast(INTS, pairs[pair + 8]).reinterpretAsShorts();
                s0 = s0.add(
                        v0.lanewise(LSHR, 4).and(NIBBLES).reinterpretAsShorts().mul(y));
                s1 = s1.add(
                        v1.lanewise(LSHR, 4).and(NIBBLES).reinterpretAsShorts().mul(y));
                y = IntVector.broadcast(INTS, pairs[pair + 12]).reinterpretAsShorts();
                s0 = s0.add(
                        v0.lanewise(LSHR, 12).and(NIBBLES).reinterpretAsShorts().mul(y));
                s1 = s1.add(
                        v1.lanewise(LSHR, 12).and(NIBBLES).reinterpretAsShorts().mul(y));
            }
            int run = scalesAt + SCALES * sub;
            IntVector both0 = s0.reinterpretAsInts();
            IntVector ints0 = both0.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both0.lanewise(ASHR, 16));
            FloatVector dot0 = FloatVector.broadcast(FLOATS, scales[run + 4])
                    .fma(FloatVector.broadcast(FLOATS, -8), (FloatVector) ints0.convert(I2F, 0));
            IntVector half0 = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, block0 + 2L * row0, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector scale0 = half0.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half0.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            acc0 = dot0.fma(scale0.mul(scales[run]), acc0);
            IntVector both1 = s1.reinterpretAsInts();
            IntVector ints1 = both1.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both1.lanewise(ASHR, 16));
            FloatVector dot1 = FloatVector.broadcast(FLOATS, scales[run + 4])
                    .fma(FloatVector.broadcast(FLOATS, -8), (FloatVector) ints1.convert(I2F, 0));
            IntVector half1 = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, block1 + 2L * row1, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector scale1 = half1.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half1.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            acc1 = dot1.fma(scale1.mul(scales[run]), acc1);
        }
        acc0.intoArray(sums, at0);
        acc1.intoArray(sums, at1);
    }

    private static void p8x0(
            MemorySegment w,
            long panel0,
            int row0,
            long panel1,
            int row1,
            int numSubs,
            int[] pairs,
            int pairsAt,
            float[] scales,
            int scalesAt,
            float[] sums,
            int at0,
            int at1) {
        FloatVector acc0 = FloatVector.zero(FLOATS);
        FloatVector acc1 = acc0;
        for (int sub = 0; sub < numSubs; sub++) {
            long block0 = panel0 + (long) sub * P8_0_BYTES;
            long plane0 = block0 + 2L * ROWS + 4L * row0;
            long block1 = panel1 + (long) sub * P8_0_BYTES;
            long plane1 = block1 + 2L * ROWS + 4L * row1;
            ShortVector low0 = ShortVector.zero(SHORTS);
            ShortVector high0 = low0;
            ShortVector low1 = low0;
            ShortVector high1 = low0;
            for (int j = 0; j < 8; j++) {
                IntVector v0 = ByteVector.fromMemorySegment(BYTES, w, plane0 + 64L * j, ORDER)
                        .reinterpretAsInts();
                IntVector v1 = ByteVector.fromMemorySegment(BYTES, w, plane1 + 64L * j, ORDER)
                        .reinterpretAsInts();
                int pair = pairsAt + sub * PAIRS + (j >> 2) * 8 + (j & 3);
                ShortVector y = IntVector.broadcast(INTS, pairs[pair]).reinterpretAsShorts();
                low0 = low0.add(v0.and(NIBBLES).reinterpretAsShorts().mul(y));
                high0 = high0.add(
                        v0.lanewise(LSHR, 4).and(NIBBLES).reinterpretAsShorts().mul(y));
                low1 = low1.add(v1.and(NIBBLES).reinterpretAsShorts().mul(y));
                high1 = high1.add(
                        v1.lanewise(LSHR, 4).and(NIBBLES).reinterpretAsShorts().mul(y));
                y = IntVector.broadcast(INTS, pairs[pair + 4]).reinterpretAsShorts();
                low0 = low0.add(
                        v0.lanewise(LSHR, 8).and(NIBBLES).reinterpretAsShorts().mul(y));
                high0 = high0.add(
                        v0.lanewise(LSHR, 12).and(NIBBLES).reinterpretAsShorts().mul(y));
                low1 = low1.add(
                        v1.lanewise(LSHR, 8).and(NIBBLES).reinterpretAsShorts().mul(y));
                high1 = high1.add(
                        v1.lanewise(LSHR, 12).and(NIBBLES).reinterpretAsShorts().mul(y));
            }
            int run = scalesAt + SCALES * sub;
            IntVector lows0 = low0.reinterpretAsInts();
            IntVector highs0 = high0.reinterpretAsInts();
            IntVector ints0 = highs0.lanewise(LSHL, 16)
                    .lanewise(ASHR, 16)
                    .add(highs0.lanewise(ASHR, 16))
                    .lanewise(LSHL, 4)
                    .add(lows0.lanewise(LSHL, 16).lanewise(ASHR, 16))
                    .add(lows0.lanewise(ASHR, 16));
            FloatVector dot0 = FloatVector.broadcast(FLOATS, scales[run + 4])
                    .fma(FloatVector.broadcast(FLOATS, -128), (FloatVector) ints0.convert(I2F, 0));
            IntVector half0 = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, block0 + 2L * row0, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector scale0 = half0.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half0.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            acc0 = dot0.fma(scale0.mul(scales[run]), acc0);
            IntVector lows1 = low1.reinterpretAsInts();
            IntVector highs1 = high1.reinterpretAsInts();
            IntVector ints1 = highs1.lanewise(LSHL, 16)
                    .lanewise(ASHR, 16)
                    .add(highs1.lanewise(ASHR, 16))
                    .lanewise(LSHL, 4)
                    .add(lows1.lanewise(LSHL, 16).lanewise(ASHR, 16))
                    .add(lows1.lanewise(ASHR, 16));
            FloatVector dot1 = FloatVector.broadcast(FLOATS, scales[run + 4])
                    .fma(FloatVector.broadcast(FLOATS, -128), (FloatVector) ints1.convert(I2F, 0));
            IntVector half1 = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, block1 + 2L * row1, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector scale1 = half1.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half1.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            acc1 = dot1.fma(scale1.mul(scales[run]), acc1);
        }
        acc0.intoArray(sums, at0);
        acc1.intoArray(sums, at1);
    }

    private static void p4K(
            MemorySegment w,
            long panel0,
            int row0,
            long panel1,
            int row1,
            int numSubs,
            int[] pairs,
            int pairsAt,
            float[] scales,
            int scalesAt,
            float[] sums,
            int at0,
            int at1) {
        FloatVector acc0 = FloatVector.zero(FLOATS);
        FloatVector acc1 = acc0;
        for (int first = 0; first < numSubs; first += 8) {
            long head0 = panel0 + (long) (first >> 3) * P4_K_SUPER + 2L * row0;
            IntVector half0 = (IntVector)
                    ShortVector.fromMemorySegment(ROW_SHORTS, w, head0, ORDER).convertShape(S2I, INTS, 0);
            FloatVector d0 = half0.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half0.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            IntVector minHalf0 = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, head0 + 2 * ROWS, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector negativeMin0 = minHalf0.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(-Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(
                            OR,
                            Lanes.INFINITY,
                            minHalf0.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            long head1 = panel1 + (long) (first >> 3) * P4_K_SUPER + 2L * row1;
            IntVector half1 = (IntVector)
                    ShortVector.fromMemorySegment(ROW_SHORTS, w, head1, ORDER).convertShape(S2I, INTS, 0);
            FloatVector d1 = half1.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half1.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            IntVector minHalf1 = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, head1 + 2 * ROWS, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector negativeMin1 = minHalf1.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(-Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(
                            OR,
                            Lanes.INFINITY,
                            minHalf1.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            for (int sub = first; sub < first + 8; sub++) {
                long block0 = head0 + P4_K_HEADER + (long) (sub - first) * P4_K_BYTES - row0;
                long plane0 = block0 + 2L * ROWS + 3L * row0;
                long block1 = head1 + P4_K_HEADER + (long) (sub - first) * P4_K_BYTES - row1;
                long plane1 = block1 + 2L * ROWS + 3L * row1;
                ShortVector s0 = ShortVector.zero(SHORTS);
                ShortVector s1 = s0;
                for (int j = 0; j < 4; j++) {
                    IntVector v0 = ByteVector.fromMemorySegment(BYTES, w, plane0 + 64L * j, ORDER)
                            .reinterpretAsInts();
                    IntVector v1 = ByteVector.fromMemorySegment(BYTES, w, plane1 + 64L * j, ORDER)
                            .reinterpretAsInts();
                    int pair = pairsAt + sub * PAIRS + j;
                    ShortVector y = IntVector.broadcast(INTS, pairs[pair]).reinterpretAsShorts();
                    s0 = s0.add(v0.and(NIBBLES).reinterpretAsShorts().mul(y));
                    s1 = s1.add(v1.and(NIBBLES).reinterpretAsShorts().mul(y));
                    y = IntVector.broadcast(INTS, pairs[pair + 4]).reinterpretAsShorts();
                    s0 = s0.add(v0.lanewise(LSHR, 8)
                            .and(NIBBLES)
                            .reinterpretAsShorts()
                            .mul(y));
                    s1 = s1.add(v1.lanewise(LSHR, 8)
                            .and(NIBBLES)
                            .reinterpretAsShorts()
                            .mul(y));
                    y = IntVector.broadcast(INTS, pairs[pair + 8]).reinterpretAsShorts();
                    s0 = s0.add(v0.lanewise(LSHR, 4)
                            .and(NIBBLES)
                            .reinterpretAsShorts()
                            .mul(y));
                    s1 = s1.add(v1.lanewise(LSHR, 4)
                            .and(NIBBLES)
                            .reinterpretAsShorts()
                            .mul(y));
                    y = IntVector.broadcast(INTS, pairs[pair + 12]).reinterpretAsShorts();
                    s0 = s0.add(v0.lanewise(LSHR, 12)
                            .and(NIBBLES)
                            .reinterpretAsShorts()
                            .mul(y));
                    s1 = s1.add(v1.lanewise(LSHR, 12)
                            .and(NIBBLES)
                            .reinterpretAsShorts()
                            .mul(y));
                }
                int run = scalesAt + SCALES * sub;
                IntVector both0 = s0.reinterpretAsInts();
                IntVector ints0 = both0.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both0.lanewise(ASHR, 16));
                FloatVector scale0 = ((FloatVector) ByteVector.fromMemorySegment(ROW_BYTES, w, block0, ORDER)
                                .convertShape(B2I, INTS, 0)
                                .convert(I2F, 0))
                        .mul(d0);
                acc0 = ((FloatVector) ints0.convert(I2F, 0)).fma(scale0.mul(scales[run]), acc0);
                FloatVector min0 = ((FloatVector) ByteVector.fromMemorySegment(ROW_BYTES, w, block0 + ROWS, ORDER)
                                .convertShape(ZERO_EXTEND_B2I, INTS, 0)
                                .convert(I2F, 0))
                        .mul(negativeMin0);
                acc0 = min0.fma(FloatVector.broadcast(FLOATS, scales[run + 1]), acc0);
                IntVector both1 = s1.reinterpretAsInts();
                IntVector ints1 = both1.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both1.lanewise(ASHR, 16));
                FloatVector scale1 = ((FloatVector) ByteVector.fromMemorySegment(ROW_BYTES, w, block1, ORDER)
                                .convertShape(B2I, INTS, 0)
                                .convert(I2F, 0))
                        .mul(d1);
                acc1 = ((FloatVector) ints1.convert(I2F, 0)).fma(scale1.mul(scales[run]), acc1);
                FloatVector min1 = ((FloatVector) ByteVector.fromMemorySegment(ROW_BYTES, w, block1 + ROWS, ORDER)
                                .convertShape(ZERO_EXTEND_B2I, INTS, 0)
                                .convert(I2F, 0))
                        .mul(negativeMin1);
                acc1 = min1.fma(FloatVector.broadcast(FLOATS, scales[run + 1]), acc1);
            }
        }
        acc0.intoArray(sums, at0);
        acc1.intoArray(sums, at1);
    }
}
