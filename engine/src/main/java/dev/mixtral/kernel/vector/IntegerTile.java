package dev.mixtral.kernel.vector;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// Integer products of unpacked codes with several tokens at a time: each vector of codes is loaded once for all.
///
/// Nothing but 16-bit products and sums: what a sum stands for is [WeightedSums]' concern.
final class IntegerTile {
    /// Tokens that advance together.
    static final int TOKENS = 4;

    private static final VectorSpecies<Integer> INTS = Lanes.INTS;
    private static final VectorSpecies<Short> SHORTS = Lanes.SHORTS;
    private static final int VECTOR = PackedCodes.VECTOR;

    private IntegerTile() {}

    /// Multiplies `numUnits` neighbouring units by [#TOKENS] tokens.
    ///
    /// @param unit vectors in a unit
    /// @param shift pairs of unit `u` start at `(u >> shift) · unit`
    /// @param pairsAt the first token's pairs; the next one's are `stride` further on
    /// @param sums receives for each unit a vector for each token
    static void multiply4(
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
            ShortVector s0 = ShortVector.zero(SHORTS);
            ShortVector s1 = s0;
            ShortVector s2 = s0;
            ShortVector s3 = s0;
            int pair = pairsAt + (u >> shift) * unit;
            for (int k = 0; k < unit; k++) {
                ShortVector c = ShortVector.fromArray(SHORTS, codes, (u * unit + k) * VECTOR);
                s0 = s0.add(c.mul(IntVector.broadcast(INTS, pairs[pair + k]).reinterpretAsShorts()));
                s1 = s1.add(c.mul(
                        IntVector.broadcast(INTS, pairs[pair + stride + k]).reinterpretAsShorts()));
                s2 = s2.add(c.mul(
                        IntVector.broadcast(INTS, pairs[pair + 2 * stride + k]).reinterpretAsShorts()));
                s3 = s3.add(c.mul(
                        IntVector.broadcast(INTS, pairs[pair + 3 * stride + k]).reinterpretAsShorts()));
            }
            int to = sumsAt + u * TOKENS * VECTOR;
            s0.intoArray(sums, to);
            s1.intoArray(sums, to + VECTOR);
            s2.intoArray(sums, to + 2 * VECTOR);
            s3.intoArray(sums, to + 3 * VECTOR);
        }
    }

    /// Multiplies `numUnits` neighbouring units by one token; the sums lie as those of [#multiply4].
    static void multiply1(
            short[] codes, int numUnits, int unit, int shift, int[] pairs, int pairsAt, short[] sums, int sumsAt) {
        for (int u = 0; u < numUnits; u++) {
            ShortVector s = ShortVector.zero(SHORTS);
            int pair = pairsAt + (u >> shift) * unit;
            for (int k = 0; k < unit; k++) {
                ShortVector c = ShortVector.fromArray(SHORTS, codes, (u * unit + k) * VECTOR);
                s = s.add(c.mul(IntVector.broadcast(INTS, pairs[pair + k]).reinterpretAsShorts()));
            }
            s.intoArray(sums, sumsAt + u * TOKENS * VECTOR);
        }
    }
}
