package dev.mixtral.kernel.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The vector width of this machine, and the few operations that depend on it.
final class Lanes {
    /// The widest float species that the processor runs at full speed, 512 bits at most.
    static final VectorSpecies<Float> FLOATS =
            FloatVector.SPECIES_PREFERRED.length() > 16 ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;

    /// Ints, lane for lane with [#FLOATS].
    static final VectorSpecies<Integer> INTS =
            IntVector.SPECIES_PREFERRED.length() > 16 ? IntVector.SPECIES_512 : IntVector.SPECIES_PREFERRED;

    /// Floats in a vector: 4, 8 or 16.
    static final int LENGTH = FLOATS.length();

    /// Shorts in as many bits as [#FLOATS].
    static final VectorSpecies<Short> SHORTS =
            LENGTH == 16 ? ShortVector.SPECIES_512 : LENGTH == 8 ? ShortVector.SPECIES_256 : ShortVector.SPECIES_128;

    /// Bytes in as many bits as [#FLOATS].
    static final VectorSpecies<Byte> BYTES =
            LENGTH == 16 ? ByteVector.SPECIES_512 : LENGTH == 8 ? ByteVector.SPECIES_256 : ByteVector.SPECIES_128;

    /// A short for each float.
    static final VectorSpecies<Short> ROW_SHORTS =
            LENGTH == 16 ? ShortVector.SPECIES_256 : LENGTH == 8 ? ShortVector.SPECIES_128 : ShortVector.SPECIES_64;

    /// A byte for each float; two for each of 4, as no species has four bytes.
    static final VectorSpecies<Byte> ROW_BYTES = LENGTH == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

    /// What remains of a sign-extended binary16 after a shift by 13: its sign in place, the rest where a float has
    /// it.
    static final int HALF_MASK = 0x8fffe000;

    /// Moves the exponent of what [#HALF_MASK] leaves, and turns subnormal halves into normal floats.
    static final float HALF_FACTOR = 0x1p112f;

    /// The exponent bits of an infinite or undefined binary16.
    static final int HALF_INFINITY = 0x7c00;

    /// The exponent bits of an infinite or undefined float.
    static final int INFINITY = 0x7f800000;

    /// `0, 1, 2 …`
    static final IntVector LANE_NUMBERS = IntVector.zero(INTS).addIndex(1);

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Lanes() {}

    /// Loads [#LENGTH] floats.
    static FloatVector load(float[] data, int at) {
        return FloatVector.fromArray(FLOATS, data, at);
    }

    /// Loads [#LENGTH] unsigned bytes.
    static IntVector loadBytes(MemorySegment data, long offset) {
        if (LENGTH == 4) {
            // No species has four bytes.
            return IntVector.broadcast(INTS, data.get(INT, offset))
                    .lanewise(VectorOperators.LSHR, LANE_NUMBERS.mul(8))
                    .and(255);
        }
        return (IntVector) ByteVector.fromMemorySegment(ROW_BYTES, data, offset, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
    }

    /// Loads [#LENGTH] signed bytes.
    static IntVector loadSignedBytes(MemorySegment data, long offset) {
        return loadBytes(data, offset).lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24);
    }

    /// Loads [#LENGTH] bfloat16 values.
    static FloatVector loadBf16(MemorySegment data, long offset) {
        return widen(data, offset).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /// Loads [#LENGTH] finite binary16 values.
    ///
    /// The exponent is moved by a multiplication with 2^112, which also turns subnormal halves into normal floats.
    static FloatVector loadF16(MemorySegment data, long offset) {
        IntVector bits = widen(data, offset);
        FloatVector magnitude = bits.and(0x7fff)
                .lanewise(VectorOperators.LSHL, 13)
                .reinterpretAsFloats()
                .mul(0x1p112f);
        return magnitude
                .reinterpretAsInts()
                .or(bits.and(0x8000).lanewise(VectorOperators.LSHL, 16))
                .reinterpretAsFloats();
    }

    private static IntVector widen(MemorySegment data, long offset) {
        return (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, data, offset, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.S2I, INTS, 0);
    }

    /// Returns codes as floats.
    static FloatVector toFloats(IntVector codes) {
        return (FloatVector) codes.convert(VectorOperators.I2F, 0);
    }

    /// Returns a vector of equal floats.
    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }

    /// Sums [#LENGTH] floats of an array in groups of four: the same order whatever compiled this code.
    static float sum(float[] lanes, int at) {
        float sum = 0;
        for (int i = 0; i < LENGTH; i += 4) {
            sum += (lanes[at + i] + lanes[at + i + 1]) + (lanes[at + i + 2] + lanes[at + i + 3]);
        }
        return sum;
    }
}
