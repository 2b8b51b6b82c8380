package dev.mixtral.kernel.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// The floating-point part of packed products: integer sums times scales, in the order that
/// [dev.mixtral.kernel.Kernels] defines.
final class WeightedSums {
    private static final VectorSpecies<Float> FLOATS = Lanes.FLOATS;
    private static final VectorSpecies<Short> SHORTS = Lanes.SHORTS;
    private static final int VECTOR = PackedCodes.VECTOR;
    private static final int UNIT = IntegerTile.TOKENS * VECTOR;
    private static final int SCALES = QuantizedRows.SCALES_PER_RUN;
    private static final int PER_SUB = PackedScales.PER_SUB;
    private static final int MIN = PackedScales.MIN;
    private static final int SECOND = PackedScales.SECOND;

    private WeightedSums() {}

    /// Adds the products of some sub-blocks with one token.
    ///
    /// @param sums one token's of [IntegerTile], from index `sumsAt` on
    /// @param weights scales and minima ([PackedScales#decode]) from index `weightsAt` on
    /// @param x the token's ([QuantizedRows#scales]) from index `xAt` on
    /// @param out [Lanes#LENGTH] floats from index `at` on are added to
    static void add(
            PackedType type,
            short[] sums,
            int sumsAt,
            int numSubs,
            float[] weights,
            int weightsAt,
            float[] x,
            int xAt,
            float[] out,
            int at) {
        float correction = PackedCodes.correction(type);
        if (PackedCodes.splitsNibbles(type)) {
            addNibbles(sums, sumsAt, numSubs, correction, weights, weightsAt, x, xAt, out, at);
        } else if (type.scales().halfGroups()) {
            if (type.scales().hasMin()) {
                addHalvesWithMin(sums, sumsAt, numSubs, weights, weightsAt, x, xAt, out, at);
            } else {
                addHalves(sums, sumsAt, numSubs, weights, weightsAt, x, xAt, out, at);
            }
        } else if (type.scales().hasMin()) {
            addWholeWithMin(sums, sumsAt, numSubs, correction, weights, weightsAt, x, xAt, out, at);
        } else {
            addWhole(sums, sumsAt, numSubs, weights, weightsAt, x, xAt, out, at);
        }
    }

    private static void addWhole(
            short[] sums,
            int sumsAt,
            int numSubs,
            float[] weights,
            int weightsAt,
            float[] x,
            int xAt,
            float[] out,
            int at) {
        FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
        for (int sub = 0; sub < numSubs; sub++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, weights, weightsAt + sub * PER_SUB)
                    .mul(x[xAt + sub * SCALES]);
            IntVector pairs =
                    ShortVector.fromArray(SHORTS, sums, sumsAt + sub * UNIT).reinterpretAsInts();
            acc = ((FloatVector) pairs.lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(pairs.lanewise(ASHR, 16))
                            .convert(I2F, 0))
                    .fma(scale, acc);
        }
        acc.intoArray(out, at);
    }

    private static void addWholeWithMin(
            short[] sums,
            int sumsAt,
            int numSubs,
            float correction,
            float[] weights,
            int weightsAt,
            float[] x,
            int xAt,
            float[] out,
            int at) {
        FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
        for (int sub = 0; sub < numSubs; sub++) {
            int run = xAt + sub * SCALES;
            int weight = weightsAt + sub * PER_SUB;
            IntVector pairs =
                    ShortVector.fromArray(SHORTS, sums, sumsAt + sub * UNIT).reinterpretAsInts();
            FloatVector dot = ((FloatVector) pairs.lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(pairs.lanewise(ASHR, 16))
                            .convert(I2F, 0))
                    .add(correction * x[run + 4]);
            acc = dot.fma(FloatVector.fromArray(FLOATS, weights, weight).mul(x[run]), acc);
            acc = FloatVector.fromArray(FLOATS, weights, weight + MIN)
                    .fma(FloatVector.broadcast(FLOATS, x[run + 1]), acc);
        }
        acc.intoArray(out, at);
    }

    private static void addNibbles(
            short[] sums,
            int sumsAt,
            int numSubs,
            float correction,
            float[] weights,
            int weightsAt,
            float[] x,
            int xAt,
            float[] out,
            int at) {
        FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
        for (int sub = 0; sub < numSubs; sub++) {
            int run = xAt + sub * SCALES;
            int low = sumsAt + 2 * sub * UNIT;
            IntVector lows = ShortVector.fromArray(SHORTS, sums, low).reinterpretAsInts();
            IntVector highs = ShortVector.fromArray(SHORTS, sums, low + UNIT).reinterpretAsInts();
            FloatVector dot = ((FloatVector) highs.lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(highs.lanewise(ASHR, 16))
                            .convert(I2F, 0))
                    .mul(16)
                    .add(((FloatVector) lows.lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(lows.lanewise(ASHR, 16))
                            .convert(I2F, 0)));
            FloatVector scale = FloatVector.fromArray(FLOATS, weights, weightsAt + sub * PER_SUB)
                    .mul(x[run]);
            acc = dot.add(correction * x[run + 4]).fma(scale, acc);
        }
        acc.intoArray(out, at);
    }

    private static void addHalves(
            short[] sums,
            int sumsAt,
            int numSubs,
            float[] weights,
            int weightsAt,
            float[] x,
            int xAt,
            float[] out,
            int at) {
        FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
        for (int sub = 0; sub < numSubs; sub++) {
            float d = x[xAt + sub * SCALES];
            int weight = weightsAt + sub * PER_SUB;
            int first = sumsAt + 2 * sub * UNIT;
            IntVector firsts = ShortVector.fromArray(SHORTS, sums, first).reinterpretAsInts();
            acc = ((FloatVector) firsts.lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(firsts.lanewise(ASHR, 16))
                            .convert(I2F, 0))
                    .fma(FloatVector.fromArray(FLOATS, weights, weight).mul(d), acc);
            IntVector seconds =
                    ShortVector.fromArray(SHORTS, sums, first + UNIT).reinterpretAsInts();
            acc = ((FloatVector) seconds.lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(seconds.lanewise(ASHR, 16))
                            .convert(I2F, 0))
                    .fma(FloatVector.fromArray(FLOATS, weights, weight + SECOND).mul(d), acc);
        }
        acc.intoArray(out, at);
    }

    private static void addHalvesWithMin(
            short[] sums,
            int sumsAt,
            int numSubs,
            float[] weights,
            int weightsAt,
            float[] x,
            int xAt,
            float[] out,
            int at) {
        FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
        for (int sub = 0; sub < numSubs; sub++) {
            int run = xAt + sub * SCALES;
            float d = x[run];
            int weight = weightsAt + sub * PER_SUB;
            int first = sumsAt + 2 * sub * UNIT;
            IntVector firsts = ShortVector.fromArray(SHORTS, sums, first).reinterpretAsInts();
            acc = ((FloatVector) firsts.lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(firsts.lanewise(ASHR, 16))
                            .convert(I2F, 0))
                    .fma(FloatVector.fromArray(FLOATS, weights, weight).mul(d), acc);
            IntVector seconds =
                    ShortVector.fromArray(SHORTS, sums, first + UNIT).reinterpretAsInts();
            acc = ((FloatVector) seconds.lanewise(LSHL, 16)
                            .lanewise(ASHR, 16)
                            .add(seconds.lanewise(ASHR, 16))
                            .convert(I2F, 0))
                    .fma(FloatVector.fromArray(FLOATS, weights, weight + SECOND).mul(d), acc);
            acc = FloatVector.fromArray(FLOATS, weights, weight + MIN)
                    .fma(FloatVector.broadcast(FLOATS, x[run + 2]), acc);
            acc = FloatVector.fromArray(FLOATS, weights, weight + SECOND + MIN)
                    .fma(FloatVector.broadcast(FLOATS, x[run + 3]), acc);
        }
        acc.intoArray(out, at);
    }
}
