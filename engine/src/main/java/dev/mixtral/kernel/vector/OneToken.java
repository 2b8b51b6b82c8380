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
    /// Multiplies [Lanes#LENGTH] rows of a panel by one token.
    @FunctionalInterface
    interface Product {
        /// Writes the products to `sums[at]` and after.
        ///
        /// @param panel where the panel starts in `w`
        /// @param numSubs sub-blocks of the panel
        /// @param row first row in the panel
        /// @param pairs the token's ([ActivationPairs]) from index `pairsAt` on
        /// @param scales the token's ([QuantizedRows#scales]) from index `scalesAt` on
        void multiply(
                MemorySegment w,
                long panel,
                int numSubs,
                int row,
                int[] pairs,
                int pairsAt,
                float[] scales,
                int scalesAt,
                float[] sums,
                int at);
    }

    private static final VectorSpecies<Float> FLOATS = Lanes.FLOATS;
    private static final VectorSpecies<Integer> INTS = Lanes.INTS;
    private static final VectorSpecies<Short> SHORTS = Lanes.SHORTS;
    private static final VectorSpecies<Byte> BYTES = Lanes.BYTES;
    private static final VectorSpecies<Short> ROW_SHORTS = Lanes.ROW_SHORTS;
    private static final VectorSpecies<Byte> ROW_BYTES = Lanes.ROW_BYTES;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private static final int SCALES = QuantizedRows.SCALES_PER_RUN;
    private static final int PAIRS = ActivationPairs.PER_RUN;
    private static final int ROWS = PackedType.ROWS;
    private static final int P4_0_BYTES = PackedType.P4_0.subBlockBytes();
    private static final int P8_0_BYTES = PackedType.P8_0.subBlockBytes();
    private static final int P4_K_BYTES = PackedType.P4_K.subBlockBytes();
    private static final int P4_K_SUPER = PackedType.P4_K.superBlockBytes();
    private static final int P4_K_HEADER = PackedType.P4_K.superHeaderBytes();
    private static final int P6_K_BYTES = PackedType.P6_K.subBlockBytes();
    private static final int P6_K_SUPER = PackedType.P6_K.superBlockBytes();
    private static final int P6_K_HEADER = PackedType.P6_K.superHeaderBytes();
    private static final int P6_K_LOW = PackedType.P6_K.lowPlaneBytes();

    private OneToken() {}

    /// Returns the single pass for a type, or null if it has none.
    static @Nullable Product of(PackedType type) {
        return switch (type) {
            case P4_0 -> OneToken::p4x0;
            case P8_0 -> OneToken::p8x0;
            case P4_K -> OneToken::p4K;
            case P6_K -> OneToken::p6K;
            default -> null;
        };
    }

    private static void p4x0(
            MemorySegment w,
            long panel,
            int numSubs,
            int row,
            int[] pairs,
            int pairsAt,
            float[] scales,
            int scalesAt,
            float[] sums,
            int at) {
        FloatVector acc = FloatVector.zero(FLOATS);
        for (int sub = 0; sub < numSubs; sub++) {
            long block = panel + (long) sub * P4_0_BYTES;
            long plane = block + 2L * ROWS + 4L * row;
            ShortVector s = ShortVector.zero(SHORTS);
            for (int j = 0; j < 4; j++) {
                ShortVector v = ByteVector.fromMemorySegment(BYTES, w, plane + 64L * j, ORDER)
                        .reinterpretAsShorts();
                int pair = pairsAt + sub * PAIRS + j;
                s = s.add(v.and((short) 15)
                        .mul(IntVector.broadcast(INTS, pairs[pair]).reinterpretAsShorts()));
                s = s.add(v.lanewise(LSHR, 8)
                        .and((short) 15)
                        .mul(IntVector.broadcast(INTS, pairs[pair + 4]).reinterpretAsShorts()));
                s = s.add(v.lanewise(LSHR, 4)
                        .and((short) 15)
                        .mul(IntVector.broadcast(INTS, pairs[pair + 8]).reinterpretAsShorts()));
                s = s.add(v.lanewise(LSHR, 12)
                        .mul(IntVector.broadcast(INTS, pairs[pair + 12]).reinterpretAsShorts()));
            }
            IntVector both = s.reinterpretAsInts();
            IntVector ints = both.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both.lanewise(ASHR, 16));
            int run = scalesAt + SCALES * sub;
            FloatVector dot = FloatVector.broadcast(FLOATS, scales[run + 4])
                    .fma(FloatVector.broadcast(FLOATS, -8), (FloatVector) ints.convert(I2F, 0));
            IntVector half = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, block + 2L * row, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector scale = half.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            acc = dot.fma(scale.mul(scales[run]), acc);
        }
        acc.intoArray(sums, at);
    }

    private static void p8x0(
            MemorySegment w,
            long panel,
            int numSubs,
            int row,
            int[] pairs,
            int pairsAt,
            float[] scales,
            int scalesAt,
            float[] sums,
            int at) {
        FloatVector acc = FloatVector.zero(FLOATS);
        for (int sub = 0; sub < numSubs; sub++) {
            long block = panel + (long) sub * P8_0_BYTES;
            long plane = block + 2L * ROWS + 4L * row;
            ShortVector low = ShortVector.zero(SHORTS);
            ShortVector high = low;
            for (int j = 0; j < 8; j++) {
                ShortVector v = ByteVector.fromMemorySegment(BYTES, w, plane + 64L * j, ORDER)
                        .reinterpretAsShorts();
                int pair = pairsAt + sub * PAIRS + (j >> 2) * 8 + (j & 3);
                ShortVector even = IntVector.broadcast(INTS, pairs[pair]).reinterpretAsShorts();
                low = low.add(v.and((short) 15).mul(even));
                high = high.add(v.lanewise(LSHR, 4).and((short) 15).mul(even));
                ShortVector odd = IntVector.broadcast(INTS, pairs[pair + 4]).reinterpretAsShorts();
                low = low.add(v.lanewise(LSHR, 8).and((short) 15).mul(odd));
                high = high.add(v.lanewise(LSHR, 12).mul(odd));
            }
            IntVector lows = low.reinterpretAsInts();
            IntVector highs = high.reinterpretAsInts();
            IntVector ints = highs.lanewise(LSHL, 16)
                    .lanewise(ASHR, 16)
                    .add(highs.lanewise(ASHR, 16))
                    .lanewise(LSHL, 4)
                    .add(lows.lanewise(LSHL, 16).lanewise(ASHR, 16))
                    .add(lows.lanewise(ASHR, 16));
            int run = scalesAt + SCALES * sub;
            FloatVector dot = FloatVector.broadcast(FLOATS, scales[run + 4])
                    .fma(FloatVector.broadcast(FLOATS, -128), (FloatVector) ints.convert(I2F, 0));
            IntVector half = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, block + 2L * row, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector scale = half.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            acc = dot.fma(scale.mul(scales[run]), acc);
        }
        acc.intoArray(sums, at);
    }

    private static void p4K(
            MemorySegment w,
            long panel,
            int numSubs,
            int row,
            int[] pairs,
            int pairsAt,
            float[] scales,
            int scalesAt,
            float[] sums,
            int at) {
        FloatVector acc = FloatVector.zero(FLOATS);
        for (int first = 0; first < numSubs; first += 8) {
            long head = panel + (long) (first >> 3) * P4_K_SUPER + 2L * row;
            IntVector half = (IntVector)
                    ShortVector.fromMemorySegment(ROW_SHORTS, w, head, ORDER).convertShape(S2I, INTS, 0);
            FloatVector d = half.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            half = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, head + 2 * ROWS, ORDER)
                    .convertShape(S2I, INTS, 0);
            FloatVector negativeMin = half.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(-Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            for (int sub = first; sub < first + 8; sub++) {
                long block = head + P4_K_HEADER + (long) (sub - first) * P4_K_BYTES - row;
                long plane = block + 2L * ROWS + 3L * row;
                ShortVector s = ShortVector.zero(SHORTS);
                for (int j = 0; j < 4; j++) {
                    ShortVector v = ByteVector.fromMemorySegment(BYTES, w, plane + 64L * j, ORDER)
                            .reinterpretAsShorts();
                    int pair = pairsAt + sub * PAIRS + j;
                    s = s.add(v.and((short) 15)
                            .mul(IntVector.broadcast(INTS, pairs[pair]).reinterpretAsShorts()));
                    s = s.add(v.lanewise(LSHR, 8)
                            .and((short) 15)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 4]).reinterpretAsShorts()));
                    s = s.add(v.lanewise(LSHR, 4)
                            .and((short) 15)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 8]).reinterpretAsShorts()));
                    s = s.add(v.lanewise(LSHR, 12)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 12]).reinterpretAsShorts()));
                }
                IntVector both = s.reinterpretAsInts();
                IntVector ints = both.lanewise(LSHL, 16).lanewise(ASHR, 16).add(both.lanewise(ASHR, 16));
                int run = scalesAt + SCALES * sub;
                FloatVector scale = ((FloatVector) ByteVector.fromMemorySegment(ROW_BYTES, w, block, ORDER)
                                .convertShape(B2I, INTS, 0)
                                .convert(I2F, 0))
                        .mul(d);
                acc = ((FloatVector) ints.convert(I2F, 0)).fma(scale.mul(scales[run]), acc);
                FloatVector min = ((FloatVector) ByteVector.fromMemorySegment(ROW_BYTES, w, block + ROWS, ORDER)
                                .convertShape(ZERO_EXTEND_B2I, INTS, 0)
                                .convert(I2F, 0))
                        .mul(negativeMin);
                acc = min.fma(FloatVector.broadcast(FLOATS, scales[run + 1]), acc);
            }
        }
        acc.intoArray(sums, at);
    }

    private static void p6K(
            MemorySegment w,
            long panel,
            int numSubs,
            int row,
            int[] pairs,
            int pairsAt,
            float[] scales,
            int scalesAt,
            float[] sums,
            int at) {
        FloatVector acc = FloatVector.zero(FLOATS);
        for (int first = 0; first < numSubs; first += 8) {
            long head = panel + (long) (first >> 3) * P6_K_SUPER + 2L * row;
            IntVector half = (IntVector)
                    ShortVector.fromMemorySegment(ROW_SHORTS, w, head, ORDER).convertShape(S2I, INTS, 0);
            FloatVector d = half.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats();
            for (int sub = first; sub < first + 8; sub++) {
                long block = head + P6_K_HEADER + (long) (sub - first) * P6_K_BYTES - row;
                long plane = block + 2L * ROWS + 3L * row;
                ShortVector high0 = ByteVector.fromMemorySegment(BYTES, w, plane + P6_K_LOW, ORDER)
                        .reinterpretAsShorts();
                ShortVector high1 = ByteVector.fromMemorySegment(BYTES, w, plane + P6_K_LOW + 64, ORDER)
                        .reinterpretAsShorts();
                IntVector ints0 = IntVector.zero(INTS);
                IntVector ints1 = ints0;
                for (int j = 0; j < 4; j += 2) {
                    int pair = pairsAt + sub * PAIRS + j;
                    ShortVector v = ByteVector.fromMemorySegment(BYTES, w, plane + 64L * j, ORDER)
                            .reinterpretAsShorts();
                    ShortVector s0 = ShortVector.zero(SHORTS);
                    ShortVector s1 = s0;
                    ShortVector c =
                            v.and((short) 0x0f0f).or(high0.lanewise(LSHL, 4).and((short) 0x3030));
                    s0 = s0.add(c.and((short) 0xff)
                            .mul(IntVector.broadcast(INTS, pairs[pair]).reinterpretAsShorts()));
                    s0 = s0.add(c.lanewise(LSHR, 8)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 4]).reinterpretAsShorts()));
                    c = v.lanewise(LSHR, 4)
                            .and((short) 0x0f0f)
                            .or(high1.lanewise(LSHL, 4).and((short) 0x3030));
                    s1 = s1.add(c.and((short) 0xff)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 8]).reinterpretAsShorts()));
                    s1 = s1.add(c.lanewise(LSHR, 8)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 12]).reinterpretAsShorts()));
                    v = ByteVector.fromMemorySegment(BYTES, w, plane + 64L * j + 64, ORDER)
                            .reinterpretAsShorts();
                    c = v.and((short) 0x0f0f).or(high0.lanewise(LSHL, 2).and((short) 0x3030));
                    s0 = s0.add(c.and((short) 0xff)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 1]).reinterpretAsShorts()));
                    s0 = s0.add(c.lanewise(LSHR, 8)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 5]).reinterpretAsShorts()));
                    c = v.lanewise(LSHR, 4)
                            .and((short) 0x0f0f)
                            .or(high1.lanewise(LSHL, 2).and((short) 0x3030));
                    s1 = s1.add(c.and((short) 0xff)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 9]).reinterpretAsShorts()));
                    s1 = s1.add(c.lanewise(LSHR, 8)
                            .mul(IntVector.broadcast(INTS, pairs[pair + 13]).reinterpretAsShorts()));
                    IntVector both = s0.reinterpretAsInts();
                    ints0 = ints0.add(both.lanewise(LSHL, 16).lanewise(ASHR, 16))
                            .add(both.lanewise(ASHR, 16));
                    both = s1.reinterpretAsInts();
                    ints1 = ints1.add(both.lanewise(LSHL, 16).lanewise(ASHR, 16))
                            .add(both.lanewise(ASHR, 16));
                    high0 = high0.lanewise(LSHR, 4);
                    high1 = high1.lanewise(LSHR, 4);
                }
                int run = scalesAt + SCALES * sub;
                FloatVector dot = FloatVector.broadcast(FLOATS, scales[run + 5])
                        .fma(FloatVector.broadcast(FLOATS, -32), (FloatVector) ints0.convert(I2F, 0));
                FloatVector scale = ((FloatVector) ByteVector.fromMemorySegment(ROW_BYTES, w, block, ORDER)
                                .convertShape(B2I, INTS, 0)
                                .convert(I2F, 0))
                        .mul(d);
                acc = dot.fma(scale.mul(scales[run]), acc);
                dot = FloatVector.broadcast(FLOATS, scales[run + 6])
                        .fma(FloatVector.broadcast(FLOATS, -32), (FloatVector) ints1.convert(I2F, 0));
                scale = ((FloatVector) ByteVector.fromMemorySegment(ROW_BYTES, w, block + ROWS, ORDER)
                                .convertShape(B2I, INTS, 0)
                                .convert(I2F, 0))
                        .mul(d);
                acc = dot.fma(scale.mul(scales[run]), acc);
            }
        }
        acc.intoArray(sums, at);
    }
}
