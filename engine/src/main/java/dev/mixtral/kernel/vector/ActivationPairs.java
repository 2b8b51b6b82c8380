package dev.mixtral.kernel.vector;

import dev.mixtral.tensor.QuantizedRows;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Codes of activations in the form that weights are multiplied with: pairs of 16-bit numbers, one pair in an int.
///
/// A run of 32 columns has 16 pairs in two halves of 16 columns. In each half come columns 0 and 2 of its 4 quads,
/// then columns 1 and 3: what [Lanes#loadQuad] has in the lower and in the upper halves of its lanes.
final class ActivationPairs {
    /// Pairs in a run of 32 columns.
    static final int PER_RUN = 16;

    /// Pairs in 16 columns.
    static final int PER_HALF = 8;

    /// From the pair of columns 0 and 2 of a quad to the pair of columns 1 and 3.
    static final int ODD = 4;

    // One half at a time, whatever the processor could do: their pairs are stored in two pieces.
    private static final VectorSpecies<Byte> HALF = ByteVector.SPECIES_128;

    private ActivationPairs() {}

    /// Writes the pairs of some runs of a row.
    ///
    /// @param out receives `16 · numRuns` ints at `at`
    static void fill(QuantizedRows x, int row, int run, int numRuns, int[] out, int at) {
        byte[] codes = x.codes();
        int from = x.codesOffset(row) + run * QuantizedRows.RUN;
        for (int half = 0; half < 2 * numRuns; half++) {
            ShortVector both =
                    ByteVector.fromArray(HALF, codes, from + half * 16).reinterpretAsShorts();
            int to = at + half * PER_HALF;
            both.lanewise(VectorOperators.LSHL, 8)
                    .lanewise(VectorOperators.ASHR, 8)
                    .reinterpretAsInts()
                    .intoArray(out, to);
            both.lanewise(VectorOperators.ASHR, 8).reinterpretAsInts().intoArray(out, to + ODD);
        }
    }
}
