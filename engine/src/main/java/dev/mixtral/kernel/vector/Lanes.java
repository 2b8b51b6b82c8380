package dev.mixtral.kernel.vector;

import java.lang.foreign.MemorySegment;
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

    /// Sixteen bytes: the codes of 16 weights.
    static final VectorSpecies<Byte> CODES = ByteVector.SPECIES_128;

    /// Floats in a vector: 4, 8 or 16.
    static final int LENGTH = FLOATS.length();

    private static final VectorSpecies<Short> HALVES =
            LENGTH == 16 ? ShortVector.SPECIES_256 : LENGTH == 8 ? ShortVector.SPECIES_128 : ShortVector.SPECIES_64;

    private Lanes() {}

    /// Loads [#LENGTH] floats.
    static FloatVector load(float[] data, int at) {
        return FloatVector.fromArray(FLOATS, data, at);
    }

    /// Loads the codes of 16 weights.
    static ByteVector codes(MemorySegment data, long offset) {
        return ByteVector.fromMemorySegment(CODES, data, offset, ByteOrder.LITTLE_ENDIAN);
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
        return (IntVector) ShortVector.fromMemorySegment(HALVES, data, offset, ByteOrder.LITTLE_ENDIAN)
                .convertShape(VectorOperators.S2I, INTS, 0);
    }

    /// Shifts every byte right; only its low `8 - bits` bits are meaningful afterwards.
    ///
    /// A shift of shorts: x86 has none of bytes, and the caller masks what leaks over from the neighbour.
    static ByteVector shiftRight(ByteVector codes, int bits) {
        return codes.reinterpretAsShorts().lanewise(VectorOperators.LSHR, bits).reinterpretAsBytes();
    }

    /// Shifts every byte left; the bits that leave a byte must be zero.
    static ByteVector shiftLeft(ByteVector codes, int bits) {
        return codes.reinterpretAsShorts().lanewise(VectorOperators.LSHL, bits).reinterpretAsBytes();
    }

    /// Stores `codes[i] * scale` as 16 floats.
    static void storeScaled(ByteVector codes, float scale, float[] out, int at) {
        if (LENGTH == 16) {
            floats(codes, 0).mul(scale).intoArray(out, at);
        } else if (LENGTH == 8) {
            floats(codes, 0).mul(scale).intoArray(out, at);
            floats(codes, 1).mul(scale).intoArray(out, at + 8);
        } else {
            floats(codes, 0).mul(scale).intoArray(out, at);
            floats(codes, 1).mul(scale).intoArray(out, at + 4);
            floats(codes, 2).mul(scale).intoArray(out, at + 8);
            floats(codes, 3).mul(scale).intoArray(out, at + 12);
        }
    }

    /// Stores `codes[i] * scale + offset` as 16 floats.
    static void storeScaled(ByteVector codes, float scale, float offset, float[] out, int at) {
        if (LENGTH == 16) {
            floats(codes, 0).mul(scale).add(offset).intoArray(out, at);
        } else if (LENGTH == 8) {
            floats(codes, 0).mul(scale).add(offset).intoArray(out, at);
            floats(codes, 1).mul(scale).add(offset).intoArray(out, at + 8);
        } else {
            floats(codes, 0).mul(scale).add(offset).intoArray(out, at);
            floats(codes, 1).mul(scale).add(offset).intoArray(out, at + 4);
            floats(codes, 2).mul(scale).add(offset).intoArray(out, at + 8);
            floats(codes, 3).mul(scale).add(offset).intoArray(out, at + 12);
        }
    }

    /// Widens [#LENGTH] of 16 signed bytes: those of part `part`.
    static FloatVector floats(ByteVector codes, int part) {
        return (FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, part);
    }

    /// Sums [#LENGTH] floats of an array pairwise: the same order whatever compiled this code.
    static float sum(float[] lanes, int at) {
        float sum = 0;
        for (int i = 0; i < LENGTH; i += 4) {
            sum += (lanes[at + i] + lanes[at + i + 1]) + (lanes[at + i + 2] + lanes[at + i + 3]);
        }
        return sum;
    }
}
