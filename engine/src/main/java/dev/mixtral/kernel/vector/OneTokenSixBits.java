package dev.mixtral.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.OR;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// Products of one token with Q6_K, as [OneToken] has them for the other types: whose codes have their upper two bits
/// in a plane of their own.
final class OneTokenSixBits {
    private static final VectorSpecies<Float> FLOATS = Lanes.FLOATS;
    private static final VectorSpecies<Integer> INTS = Lanes.INTS;
    private static final VectorSpecies<Short> SHORTS = Lanes.SHORTS;
    private static final VectorSpecies<Byte> BYTES = Lanes.BYTES;
    private static final VectorSpecies<Short> ROW_SHORTS = Lanes.ROW_SHORTS;
    private static final VectorSpecies<Byte> ROW_BYTES = Lanes.ROW_BYTES;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final int LOW_BYTES = 0x00ff00ff;
    private static final int SCALES = QuantizedRows.SCALES_PER_RUN;
    private static final int PAIRS = ActivationPairs.PER_RUN;
    private static final int ROWS = PackedType.ROWS;
    private static final int P6_K_BYTES = PackedType.P6_K.subBlockBytes();
    private static final int P6_K_SUPER = PackedType.P6_K.superBlockBytes();
    private static final int P6_K_HEADER = PackedType.P6_K.superHeaderBytes();
    private static final int P6_K_LOW = PackedType.P6_K.lowPlaneBytes();

    private OneTokenSixBits() {}

    /// [OneToken.Product] for Q6_K.
    static void p6K(
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
        ofOneVector(w, panel0, numSubs, row0, pairs, pairsAt, scales, scalesAt, sums, at0);
        ofOneVector(w, panel1, numSubs, row1, pairs, pairsAt, scales, scalesAt, sums, at1);
    }

    /// One vector of rows: the sums of two would not fit the registers of AVX2.
    private static void ofOneVector(
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
                IntVector high0 = ByteVector.fromMemorySegment(BYTES, w, plane + P6_K_LOW, ORDER)
                        .reinterpretAsInts();
                IntVector high1 = ByteVector.fromMemorySegment(BYTES, w, plane + P6_K_LOW + 64, ORDER)
                        .reinterpretAsInts();
                IntVector ints0 = IntVector.zero(INTS);
                IntVector ints1 = ints0;
                for (int j = 0; j < 4; j += 2) {
                    int pair = pairsAt + sub * PAIRS + j;
                    IntVector v = ByteVector.fromMemorySegment(BYTES, w, plane + 64L * j, ORDER)
                            .reinterpretAsInts();
                    ShortVector s0 = ShortVector.zero(SHORTS);
                    ShortVector s1 = s0;
                    IntVector c = v.and(0x0f0f0f0f).or(high0.lanewise(LSHL, 4).and(0x30303030));
                    s0 = s0.add(c.and(LOW_BYTES)
                            .reinterpretAsShorts()
                            .mul(IntVector.broadcast(INTS, pairs[pair]).reinterpretAsShorts()));
                    s0 = s0.add(c.lanewise(LSHR, 8)
                            .and(LOW_BYTES)
                            .reinterpretAsShorts()
                            .mul(IntVector.broadcast(INTS, pairs[pair + 4]).reinterpretAsShorts()));
                    c = v.lanewise(LSHR, 4)
                            .and(0x0f0f0f0f)
                            .or(high1.lanewise(LSHL, 4).and(0x30303030));
                    s1 = s1.add(c.and(LOW_BYTES)
                            .reinterpretAsShorts()
                            .mul(IntVector.broadcast(INTS, pairs[pair + 8]).reinterpretAsShorts()));
                    s1 = s1.add(c.lanewise(LSHR, 8)
                            .and(LOW_BYTES)
                            .reinterpretAsShorts()
                            .mul(IntVector.broadcast(INTS, pairs[pair + 12]).reinterpretAsShorts()));
                    v = ByteVector.fromMemorySegment(BYTES, w, plane + 64L * j + 64, ORDER)
                            .reinterpretAsInts();
                    c = v.and(0x0f0f0f0f).or(high0.lanewise(LSHL, 2).and(0x30303030));
                    s0 = s0.add(c.and(LOW_BYTES)
                            .reinterpretAsShorts()
                            .mul(IntVector.broadcast(INTS, pairs[pair + 1]).reinterpretAsShorts()));
                    s0 = s0.add(c.lanewise(LSHR, 8)
                            .and(LOW_BYTES)
                            .reinterpretAsShorts()
                            .mul(IntVector.broadcast(INTS, pairs[pair + 5]).reinterpretAsShorts()));
                    c = v.lanewise(LSHR, 4)
                            .and(0x0f0f0f0f)
                            .or(high1.lanewise(LSHL, 2).and(0x30303030));
                    s1 = s1.add(c.and(LOW_BYTES)
                            .reinterpretAsShorts()
                            .mul(IntVector.broadcast(INTS, pairs[pair + 9]).reinterpretAsShorts()));
                    s1 = s1.add(c.lanewise(LSHR, 8)
                            .and(LOW_BYTES)
                            .reinterpretAsShorts()
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
