package dev.mixtral.kernel.vector;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// Integer products of unpacked codes with one or two tokens: four vectors of rows share each broadcast activation,
/// since loading those is what takes longest, and two tokens share the codes. More sums at a time do not fit the 16
/// registers of AVX2.
///
/// Nothing but 16-bit products and sums: what a sum stands for is [WeightedSums]' concern.
final class IntegerTile {
    /// Vectors of rows that advance together.
    static final int VECTORS = 4;

    /// Tokens that advance together.
    static final int TOKENS = 2;

    /// Shorts from the codes of one pair to those of the next.
    static final int STEP = VECTORS * PackedCodes.VECTOR;

    /// Shorts from the sums of one unit to those of the next: a vector for each token and vector of rows.
    static final int UNIT = TOKENS * STEP;

    private static final VectorSpecies<Integer> INTS = Lanes.INTS;
    private static final VectorSpecies<Short> SHORTS = Lanes.SHORTS;
    private static final int VECTOR = PackedCodes.VECTOR;

    private IntegerTile() {}

    /// Multiplies neighbouring units by two tokens.
    ///
    /// @param codes from index 0 on: for each pair of activations of each unit a vector for each vector of rows
    /// @param unit pairs in a unit
    /// @param shift pairs of unit `u` start at `(u >> shift) · unit`
    /// @param pairsAt the first token's pairs; the second one's are `stride` further on
    /// @param sums receives [#UNIT] shorts for each unit from index `sumsAt` on
    static void multiply2(
            short[] codes,
            int numUnits,
            int unit,
            int shift,
            int[] pairs,
            int pairsAt,
            int stride,
            short[] sums,
            int sumsAt) {
        for (int u = 0; u < numUnits; u++) {
            ShortVector s00 = ShortVector.zero(SHORTS);
            ShortVector s01 = s00;
            ShortVector s02 = s00;
            ShortVector s03 = s00;
            ShortVector s10 = s00;
            ShortVector s11 = s00;
            ShortVector s12 = s00;
            ShortVector s13 = s00;
            int pair = pairsAt + (u >> shift) * unit;
            for (int k = 0; k < unit; k++) {
                int code = (u * unit + k) * STEP;
                ShortVector c0 = ShortVector.fromArray(SHORTS, codes, code);
                ShortVector c1 = ShortVector.fromArray(SHORTS, codes, code + VECTOR);
                ShortVector c2 = ShortVector.fromArray(SHORTS, codes, code + 2 * VECTOR);
                ShortVector c3 = ShortVector.fromArray(SHORTS, codes, code + 3 * VECTOR);
                ShortVector x = IntVector.broadcast(INTS, pairs[pair + k]).reinterpretAsShorts();
                s00 = s00.add(c0.mul(x));
                s01 = s01.add(c1.mul(x));
                s02 = s02.add(c2.mul(x));
                s03 = s03.add(c3.mul(x));
                x = IntVector.broadcast(INTS, pairs[pair + stride + k]).reinterpretAsShorts();
                s10 = s10.add(c0.mul(x));
                s11 = s11.add(c1.mul(x));
                s12 = s12.add(c2.mul(x));
                s13 = s13.add(c3.mul(x));
            }
            int to = sumsAt + u * UNIT;
            s00.intoArray(sums, to);
            s01.intoArray(sums, to + VECTOR);
            s02.intoArray(sums, to + 2 * VECTOR);
            s03.intoArray(sums, to + 3 * VECTOR);
            s10.intoArray(sums, to + 4 * VECTOR);
            s11.intoArray(sums, to + 5 * VECTOR);
            s12.intoArray(sums, to + 6 * VECTOR);
            s13.intoArray(sums, to + 7 * VECTOR);
        }
    }

    /// Multiplies neighbouring units by one token; the sums lie as those of the first token of [#multiply2].
    static void multiply1(
            short[] codes, int numUnits, int unit, int shift, int[] pairs, int pairsAt, short[] sums, int sumsAt) {
        for (int u = 0; u < numUnits; u++) {
            ShortVector s00 = ShortVector.zero(SHORTS);
            ShortVector s01 = s00;
            ShortVector s02 = s00;
            ShortVector s03 = s00;
            int pair = pairsAt + (u >> shift) * unit;
            for (int k = 0; k < unit; k++) {
                int code = (u * unit + k) * STEP;
                ShortVector c0 = ShortVector.fromArray(SHORTS, codes, code);
                ShortVector c1 = ShortVector.fromArray(SHORTS, codes, code + VECTOR);
                ShortVector c2 = ShortVector.fromArray(SHORTS, codes, code + 2 * VECTOR);
                ShortVector c3 = ShortVector.fromArray(SHORTS, codes, code + 3 * VECTOR);
                ShortVector x = IntVector.broadcast(INTS, pairs[pair + k]).reinterpretAsShorts();
                s00 = s00.add(c0.mul(x));
                s01 = s01.add(c1.mul(x));
                s02 = s02.add(c2.mul(x));
                s03 = s03.add(c3.mul(x));
            }
            int to = sumsAt + u * UNIT;
            s00.intoArray(sums, to);
            s01.intoArray(sums, to + VECTOR);
            s02.intoArray(sums, to + 2 * VECTOR);
            s03.intoArray(sums, to + 3 * VECTOR);
        }
    }
}
