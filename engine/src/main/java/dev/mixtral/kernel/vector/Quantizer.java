package dev.mixtral.kernel.vector;

import dev.mixtral.tensor.QuantizedRows;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// [QuantizedRows#quantize] in vectors of at least 8 floats, to the last bit.
final class Quantizer {
    private static final int LENGTH = Lanes.LENGTH;
    private static final int RUN = QuantizedRows.RUN;
    private static final float NEGLIGIBLE = 1e-30f;

    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, halves to the even one.
    private static final float ROUND = 12582912f;

    private static final int INFINITY_BITS = 0x7f800000;
    private static final VectorSpecies<Byte> CODES = LENGTH == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

    private Quantizer() {}

    /// Quantises one run of a row.
    static void quantize(float[] x, int at, QuantizedRows out, int row, int run) {
        if (LENGTH == 4) {
            // No species has four bytes.
            out.quantize(x, at, row, run);
            return;
        }
        int bits = magnitudeBits(x, at);
        float max = Float.intBitsToFloat(bits);
        float d = bits >= INFINITY_BITS ? Float.NaN : max < NEGLIGIBLE ? 0 : max / 127;
        float inverse = d > 0 ? 127 / max : 0;
        int to = out.codesOffset(row) + run * RUN;
        int first = 0;
        int second = 0;
        for (int i = 0; i < RUN / 2; i += LENGTH) {
            first += round(x, at + i, inverse, out.codes(), to + i);
            second += round(x, at + RUN / 2 + i, inverse, out.codes(), to + RUN / 2 + i);
        }
        setScales(out.scales(), out.scalesOffset(row) + run * QuantizedRows.SCALES_PER_RUN, d, first, second);
    }

    /// Returns the greatest magnitude as bits of a float: those of NaN lie above those of infinity.
    private static int magnitudeBits(float[] x, int at) {
        IntVector max = IntVector.zero(Lanes.INTS);
        for (int i = 0; i < RUN; i += LENGTH) {
            max = max.max(Lanes.load(x, at + i).reinterpretAsInts().and(0x7fffffff));
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    /// Writes the codes of one vector and returns their sum.
    private static int round(float[] x, int at, float inverse, byte[] codes, int to) {
        if (inverse == 0) {
            ByteVector.zero(CODES).intoArray(codes, to);
            return 0;
        }
        FloatVector rounded = Lanes.load(x, at).mul(inverse).add(ROUND).sub(ROUND);
        IntVector ints = rounded.convert(VectorOperators.F2I, 0).reinterpretAsInts();
        ((ByteVector) ints.convertShape(VectorOperators.I2B, CODES, 0)).intoArray(codes, to);
        return ints.reduceLanes(VectorOperators.ADD);
    }

    private static void setScales(float[] scales, int at, float d, int first, int second) {
        scales[at] = d;
        scales[at + 1] = d * (first + second);
        scales[at + 2] = d * first;
        scales[at + 3] = d * second;
        scales[at + 4] = first + second;
        scales[at + 5] = first;
        scales[at + 6] = second;
        scales[at + 7] = 0;
    }
}
