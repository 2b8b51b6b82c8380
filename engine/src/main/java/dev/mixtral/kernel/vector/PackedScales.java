package dev.mixtral.kernel.vector;

import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.OR;
import static jdk.incubator.vector.VectorOperators.S2I;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import dev.mixtral.tensor.PackedType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// Scales and minima of packed weights as floats, the very ones of [dev.mixtral.tensor.PackedDecoder].
final class PackedScales {
    private static final VectorSpecies<Float> FLOATS = Lanes.FLOATS;
    private static final VectorSpecies<Integer> INTS = Lanes.INTS;
    private static final VectorSpecies<Short> ROW_SHORTS = Lanes.ROW_SHORTS;
    private static final VectorSpecies<Byte> ROW_BYTES = Lanes.ROW_BYTES;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private static final int ROWS = PackedType.ROWS;

    /// Floats of a super-block's head: `d[16]`, `-dmin[16]`.
    static final int HEAD = 2 * ROWS;

    /// From the scales of a tile's rows to their minima.
    static final int MIN = IntegerTile.VECTORS * Lanes.LENGTH;

    /// From the scales and minima of the first 16 columns to those of the others; groups of 32 have the first only.
    static final int SECOND = 2 * MIN;

    /// Floats of a sub-block of a tile's rows.
    static final int PER_SUB = 2 * SECOND;

    private PackedScales() {}

    /// Decodes the heads of super-blocks, all 16 rows.
    ///
    /// @param at where the first super-block starts
    /// @param out receives [#HEAD] floats for each from index `outAt` on
    static void heads(PackedType type, MemorySegment w, long at, int numSupers, float[] out, int outAt) {
        int stride = type.superBlockBytes();
        for (int row = 0; row < ROWS; row += Lanes.LENGTH) {
            halves(w, at + 2L * row, stride, numSupers, 1, out, outAt + row, HEAD);
            if (type.scales().hasMin()) {
                halves(w, at + 2L * (ROWS + row), stride, numSupers, -1, out, outAt + ROWS + row, HEAD);
            }
        }
    }

    /// Decodes the scales of neighbouring sub-blocks, all 16 rows.
    ///
    /// @param at where the first sub-block starts
    /// @param heads their super-block's head, at `headAt`; unused by types that have none
    /// @param outAt index in `out` of the first row's first scale; the next sub-block's are [#PER_SUB] further on
    static void decode(
            PackedType type, MemorySegment w, long at, int numSubs, float[] heads, int headAt, float[] out, int outAt) {
        int stride = type.subBlockBytes();
        for (int row = 0; row < ROWS; row += Lanes.LENGTH) {
            int head = headAt + row;
            int to = outAt + row;
            switch (type.scales()) {
                case HALF -> halves(w, at + 2L * row, stride, numSubs, 1, out, to, PER_SUB);
                case HALF_WITH_MIN -> {
                    halves(w, at + 2L * row, stride, numSubs, 1, out, to, PER_SUB);
                    halves(w, at + 2L * (ROWS + row), stride, numSubs, 1, out, to + MIN, PER_SUB);
                }
                case BYTES -> signedBytes(w, at + row, stride, numSubs, heads, head, out, to);
                case BYTES_WITH_MIN -> {
                    signedBytes(w, at + row, stride, numSubs, heads, head, out, to);
                    minimumBytes(w, at + ROWS + row, stride, numSubs, heads, head + ROWS, out, to + MIN);
                }
                case BYTES_16 -> {
                    signedBytes(w, at + row, stride, numSubs, heads, head, out, to);
                    signedBytes(w, at + ROWS + row, stride, numSubs, heads, head, out, to + SECOND);
                }
                case NIBBLES_16 -> {
                    nibbles(w, at + row, stride, numSubs, heads, head, out, to);
                    nibbles(w, at + ROWS + row, stride, numSubs, heads, head, out, to + SECOND);
                }
            }
        }
    }

    /// Decodes vectors of binary16 that lie `stride` bytes apart, times `sign`.
    private static void halves(
            MemorySegment w, long at, int stride, int n, float sign, float[] out, int outAt, int outStride) {
        for (int i = 0; i < n; i++) {
            IntVector half = (IntVector) ShortVector.fromMemorySegment(ROW_SHORTS, w, at + (long) i * stride, ORDER)
                    .convertShape(S2I, INTS, 0);
            half.lanewise(LSHL, 13)
                    .and(Lanes.HALF_MASK)
                    .reinterpretAsFloats()
                    .mul(Lanes.HALF_FACTOR)
                    .reinterpretAsInts()
                    .lanewise(OR, Lanes.INFINITY, half.and(Lanes.HALF_INFINITY).compare(EQ, Lanes.HALF_INFINITY))
                    .reinterpretAsFloats()
                    .mul(sign)
                    .intoArray(out, outAt + i * outStride);
        }
    }

    private static void signedBytes(
            MemorySegment w, long at, int stride, int numSubs, float[] heads, int headAt, float[] out, int outAt) {
        FloatVector head = FloatVector.fromArray(FLOATS, heads, headAt);
        for (int sub = 0; sub < numSubs; sub++) {
            IntVector bytes = (IntVector) ByteVector.fromMemorySegment(ROW_BYTES, w, at + (long) sub * stride, ORDER)
                    .convertShape(B2I, INTS, 0);
            ((FloatVector) bytes.convert(I2F, 0)).mul(head).intoArray(out, outAt + sub * PER_SUB);
        }
    }

    private static void minimumBytes(
            MemorySegment w, long at, int stride, int numSubs, float[] heads, int headAt, float[] out, int outAt) {
        FloatVector head = FloatVector.fromArray(FLOATS, heads, headAt);
        for (int sub = 0; sub < numSubs; sub++) {
            IntVector bytes = (IntVector) ByteVector.fromMemorySegment(ROW_BYTES, w, at + (long) sub * stride, ORDER)
                    .convertShape(ZERO_EXTEND_B2I, INTS, 0);
            ((FloatVector) bytes.convert(I2F, 0)).mul(head).intoArray(out, outAt + sub * PER_SUB);
        }
    }

    private static void nibbles(
            MemorySegment w, long at, int stride, int numSubs, float[] heads, int headAt, float[] out, int outAt) {
        FloatVector head = FloatVector.fromArray(FLOATS, heads, headAt);
        FloatVector min = FloatVector.fromArray(FLOATS, heads, headAt + ROWS);
        for (int sub = 0; sub < numSubs; sub++) {
            IntVector bytes = (IntVector) ByteVector.fromMemorySegment(ROW_BYTES, w, at + (long) sub * stride, ORDER)
                    .convertShape(ZERO_EXTEND_B2I, INTS, 0);
            int to = outAt + sub * PER_SUB;
            ((FloatVector) bytes.and(15).convert(I2F, 0)).mul(head).intoArray(out, to);
            ((FloatVector) bytes.lanewise(LSHR, 4).convert(I2F, 0)).mul(min).intoArray(out, to + MIN);
        }
    }
}
