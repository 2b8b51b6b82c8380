package dev.mixtral.kernel.vector;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.mixtral.tensor.PackedType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// Codes of packed weights as 16-bit numbers that [ActivationPairs] are multiplied with.
///
/// A *unit* is as many columns as a 16-bit lane can sum: 16 of types with groups of 16, else 32. It is a vector of
/// [Lanes#LENGTH] rows for each pair of activations, in their order; those of the [IntegerTile]'s vectors of rows
/// take turns. Codes of 8 bits, and entries of tables, come as two units: of low nibbles, then of high ones.
final class PackedCodes {
    /// Shorts in a vector.
    static final int VECTOR = 2 * Lanes.LENGTH;

    private static final VectorSpecies<Byte> BYTES = Lanes.BYTES;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private static final int STEP = IntegerTile.STEP;
    private static final int HALF = ActivationPairs.PER_HALF * STEP;
    private static final int RUN = 2 * HALF;
    private static final int ODD = ActivationPairs.ODD * STEP;

    /// Shorts that a sub-block takes at most, of all vectors of rows in a tile.
    static final int MAX_PER_SUB = 2 * RUN;

    // What a table lookup takes on every processor.
    private static final VectorSpecies<Byte> ENTRIES = ByteVector.SPECIES_128;
    private static final ByteVector TABLE = table(PackedType.P4_NL, 16);
    private static final ByteVector NL3_TABLE = table(PackedType.P3_NL, 8);

    private PackedCodes() {}

    /// Returns the entries of a type's table as unsigned bytes, the rest being 0.
    private static ByteVector table(PackedType type, int size) {
        byte[] table = new byte[16];
        for (int code = 0; code < size; code++) {
            table[code] = (byte) (type.integer(code) + type.offset());
        }
        return ByteVector.fromArray(ENTRIES, table, 0);
    }

    /// Returns whether a sub-block's two units are nibbles of the same columns.
    static boolean splitsNibbles(PackedType type) {
        return type.lowBits() == 8 || type.hasTable();
    }

    /// Returns the units of a sub-block.
    static int units(PackedType type) {
        return type.scales().halfGroups() || splitsNibbles(type) ? 2 : 1;
    }

    /// Returns the shorts that a sub-block takes.
    static int perSub(PackedType type) {
        return splitsNibbles(type) ? 2 * RUN : RUN;
    }

    /// Returns what is subtracted from codes here, so that sums fit 16 bits.
    private static short center(PackedType type) {
        if (type.hasTable()) {
            return 0;
        }
        return switch (type.lowBits() + type.highBits()) {
            case 4 -> (short) type.offset();
            case 5 -> 16;
            case 8 -> 0;
            default -> (short) type.offset();
        };
    }

    /// Returns what the integers of weights still lack: it is multiplied with the sum of the activations.
    static float correction(PackedType type) {
        return center(type) - type.offset();
    }

    /// Unpacks neighbouring sub-blocks of [Lanes#LENGTH] rows.
    ///
    /// @param at the first row's place in the low plane of the first sub-block
    /// @param out receives [#perSub] shorts for each sub-block from index `outAt` on
    static void unpack(PackedType type, MemorySegment w, long at, int numSubs, short[] out, int outAt) {
        int stride = type.subBlockBytes();
        short center = center(type);
        for (int sub = 0; sub < numSubs; sub++) {
            long low = at + (long) sub * stride;
            long high = low + type.lowPlaneBytes();
            int to = outAt + sub * perSub(type);
            switch (type) {
                case P4_0, P4_1, P4_K -> bits4(w, low, center, out, to);
                case P5_0, P5_1, P5_K -> bits5(w, low, high, center, out, to);
                case P8_0 -> bits8(w, low, out, to);
                case P2_K -> bits2(w, low, out, to);
                case P3_K -> bits3(w, low, high, center, out, to);
                case P6_K -> bits6(w, low, high, center, out, to);
                case P4_NL, P4_XS -> table4(w, low, out, to);
                case P3_NL -> table3(w, low, high, out, to);
            }
        }
    }

    private static void bits4(MemorySegment w, long low, short center, short[] out, int outAt) {
        for (int j = 0; j < 4; j++) {
            ShortVector v =
                    ByteVector.fromMemorySegment(BYTES, w, low + 64L * j, ORDER).reinterpretAsShorts();
            int to = outAt + j * STEP;
            v.and((short) 15).sub(center).intoArray(out, to);
            v.lanewise(LSHR, 8).and((short) 15).sub(center).intoArray(out, to + ODD);
            v.lanewise(LSHR, 4).and((short) 15).sub(center).intoArray(out, to + HALF);
            v.lanewise(LSHR, 12).sub(center).intoArray(out, to + HALF + ODD);
        }
    }

    private static void bits5(MemorySegment w, long low, long high, short center, short[] out, int outAt) {
        ShortVector bits = ByteVector.fromMemorySegment(BYTES, w, high, ORDER).reinterpretAsShorts();
        for (int j = 0; j < 8; j++) {
            ShortVector v = ByteVector.fromMemorySegment(BYTES, w, low + 64L * (j & 3), ORDER)
                    .reinterpretAsShorts();
            ShortVector bit = bits.lanewise(LSHR, j).and((short) 0x0101).lanewise(LSHL, 4);
            ShortVector codes = v.lanewise(LSHR, j & 4).and((short) 0x0f0f).or(bit);
            int to = outAt + (j >> 2) * HALF + (j & 3) * STEP;
            codes.and((short) 0xff).sub(center).intoArray(out, to);
            codes.lanewise(LSHR, 8).sub(center).intoArray(out, to + ODD);
        }
    }

    private static void bits6(MemorySegment w, long low, long high, short center, short[] out, int outAt) {
        for (int j = 0; j < 8; j++) {
            ShortVector v = ByteVector.fromMemorySegment(BYTES, w, low + 64L * (j & 3), ORDER)
                    .reinterpretAsShorts();
            ShortVector bits = ByteVector.fromMemorySegment(BYTES, w, high + 64L * (j >> 2), ORDER)
                    .reinterpretAsShorts();
            ShortVector pair =
                    bits.lanewise(LSHR, (j & 3) << 1).and((short) 0x0303).lanewise(LSHL, 4);
            ShortVector codes = v.lanewise(LSHR, j & 4).and((short) 0x0f0f).or(pair);
            int to = outAt + (j >> 2) * HALF + (j & 3) * STEP;
            codes.and((short) 0xff).sub(center).intoArray(out, to);
            codes.lanewise(LSHR, 8).sub(center).intoArray(out, to + ODD);
        }
    }

    private static void bits2(MemorySegment w, long low, short[] out, int outAt) {
        for (int j = 0; j < 8; j++) {
            ShortVector v = ByteVector.fromMemorySegment(BYTES, w, low + 64L * (j >> 2), ORDER)
                    .reinterpretAsShorts();
            ShortVector codes = v.lanewise(LSHR, (j & 3) << 1).and((short) 0x0303);
            int to = outAt + (j >> 2) * HALF + (j & 3) * STEP;
            codes.and((short) 0xff).intoArray(out, to);
            codes.lanewise(LSHR, 8).intoArray(out, to + ODD);
        }
    }

    private static void bits3(MemorySegment w, long low, long high, short center, short[] out, int outAt) {
        ShortVector bits = ByteVector.fromMemorySegment(BYTES, w, high, ORDER).reinterpretAsShorts();
        for (int j = 0; j < 8; j++) {
            ShortVector v = ByteVector.fromMemorySegment(BYTES, w, low + 64L * (j >> 2), ORDER)
                    .reinterpretAsShorts();
            ShortVector bit = bits.lanewise(LSHR, j).and((short) 0x0101).lanewise(LSHL, 2);
            ShortVector codes =
                    v.lanewise(LSHR, (j & 3) << 1).and((short) 0x0303).or(bit);
            int to = outAt + (j >> 2) * HALF + (j & 3) * STEP;
            codes.and((short) 0xff).sub(center).intoArray(out, to);
            codes.lanewise(LSHR, 8).sub(center).intoArray(out, to + ODD);
        }
    }

    private static void bits8(MemorySegment w, long low, short[] out, int outAt) {
        for (int j = 0; j < 8; j++) {
            ShortVector v =
                    ByteVector.fromMemorySegment(BYTES, w, low + 64L * j, ORDER).reinterpretAsShorts();
            int to = outAt + (j >> 2) * HALF + (j & 3) * STEP;
            v.and((short) 15).intoArray(out, to);
            v.lanewise(LSHR, 8).and((short) 15).intoArray(out, to + ODD);
            v.lanewise(LSHR, 4).and((short) 15).intoArray(out, to + RUN);
            v.lanewise(LSHR, 12).intoArray(out, to + RUN + ODD);
        }
    }

    private static void table4(MemorySegment w, long low, short[] out, int outAt) {
        for (int i = 0; i < 8 * Lanes.LENGTH / 4; i++) {
            int row = 4 * (i >> 3);
            int j = i & 7;
            ShortVector v = ByteVector.fromMemorySegment(ENTRIES, w, low + 64L * (j & 3) + 4L * row, ORDER)
                    .lanewise(LSHR, j & 4)
                    .and((byte) 15)
                    .selectFrom(TABLE)
                    .reinterpretAsShorts();
            entries(v, out, outAt + (j >> 2) * HALF + (j & 3) * STEP + 2 * row);
        }
    }

    private static void table3(MemorySegment w, long low, long high, short[] out, int outAt) {
        for (int i = 0; i < 8 * Lanes.LENGTH / 4; i++) {
            int row = 4 * (i >> 3);
            int j = i & 7;
            ByteVector bit = ByteVector.fromMemorySegment(ENTRIES, w, high + 4L * row, ORDER)
                    .lanewise(LSHR, j)
                    .and((byte) 1)
                    .lanewise(LSHL, 2);
            ShortVector v = ByteVector.fromMemorySegment(ENTRIES, w, low + 64L * (j >> 2) + 4L * row, ORDER)
                    .lanewise(LSHR, (j & 3) << 1)
                    .and((byte) 3)
                    .or(bit)
                    .selectFrom(NL3_TABLE)
                    .reinterpretAsShorts();
            entries(v, out, outAt + (j >> 2) * HALF + (j & 3) * STEP + 2 * row);
        }
    }

    /// Stores the nibbles of a quarter vector of table entries.
    private static void entries(ShortVector v, short[] out, int to) {
        v.and((short) 15).intoArray(out, to);
        v.lanewise(LSHR, 8).and((short) 15).intoArray(out, to + ODD);
        v.lanewise(LSHR, 4).and((short) 15).intoArray(out, to + RUN);
        v.lanewise(LSHR, 12).intoArray(out, to + RUN + ODD);
    }
}
