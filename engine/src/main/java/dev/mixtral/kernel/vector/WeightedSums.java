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
/// [dev.mixtral.kernel.Kernels] defines. The loops repeat each other and call the Vector API only, for the reason that
/// [OneToken] gives.
final class WeightedSums {
    private static final VectorSpecies<Float> FLOATS = Lanes.FLOATS;
    private static final VectorSpecies<Short> SHORTS = Lanes.SHORTS;
    private static final int LENGTH = Lanes.LENGTH;
    private static final int VECTOR = PackedCodes.VECTOR;
    private static final int VECTORS = IntegerTile.VECTORS;
    private static final int UNIT = IntegerTile.UNIT;
    private static final int SCALES = QuantizedRows.SCALES_PER_RUN;
    private static final int PER_SUB = PackedScales.PER_SUB;
    private static final int MIN = PackedScales.MIN;
    private static final int SECOND = PackedScales.SECOND;

    private WeightedSums() {}

    /// Adds the products of some sub-blocks of a tile's rows with one token.
    ///
    /// @param sums the token's of [IntegerTile], from index `sumsAt` on
    /// @param weights scales and minima ([PackedScales#decode]) from index `weightsAt` on
    /// @param x the token's ([QuantizedRows#scales]) from index `xAt` on
    /// @param out a float for each of the tile's rows from index `at` on is added to
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
            int outAt) {
        for (int sub = 0; sub < numSubs; sub++) {
            int run = xAt + sub * SCALES;
            float d = x[run];
            for (int v = 0; v < VECTORS; v++) {
                int dots = sumsAt + sub * UNIT + v * VECTOR;
                int weight = weightsAt + sub * PER_SUB + v * LENGTH;
                int at = outAt + v * LENGTH;
                IntVector pairs = ShortVector.fromArray(SHORTS, sums, dots).reinterpretAsInts();
                FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
                acc = ((FloatVector) pairs.lanewise(LSHL, 16)
                                .lanewise(ASHR, 16)
                                .add(pairs.lanewise(ASHR, 16))
                                .convert(I2F, 0))
                        .fma(FloatVector.fromArray(FLOATS, weights, weight).mul(d), acc);
                acc.intoArray(out, at);
            }
        }
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
            int outAt) {
        for (int sub = 0; sub < numSubs; sub++) {
            int run = xAt + sub * SCALES;
            float d = x[run];
            float lacking = correction * x[run + 4];
            float sum = x[run + 1];
            for (int v = 0; v < VECTORS; v++) {
                int dots = sumsAt + sub * UNIT + v * VECTOR;
                int weight = weightsAt + sub * PER_SUB + v * LENGTH;
                int at = outAt + v * LENGTH;
                IntVector pairs = ShortVector.fromArray(SHORTS, sums, dots).reinterpretAsInts();
                FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
                FloatVector dot = ((FloatVector) pairs.lanewise(LSHL, 16)
                                .lanewise(ASHR, 16)
                                .add(pairs.lanewise(ASHR, 16))
                                .convert(I2F, 0))
                        .add(lacking);
                acc = dot.fma(FloatVector.fromArray(FLOATS, weights, weight).mul(d), acc);
                acc = FloatVector.fromArray(FLOATS, weights, weight + MIN).fma(FloatVector.broadcast(FLOATS, sum), acc);
                acc.intoArray(out, at);
            }
        }
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
            int outAt) {
        for (int sub = 0; sub < numSubs; sub++) {
            int run = xAt + sub * SCALES;
            float d = x[run];
            float lacking = correction * x[run + 4];
            for (int v = 0; v < VECTORS; v++) {
                int dots = sumsAt + 2 * sub * UNIT + v * VECTOR;
                int weight = weightsAt + sub * PER_SUB + v * LENGTH;
                int at = outAt + v * LENGTH;
                IntVector lows = ShortVector.fromArray(SHORTS, sums, dots).reinterpretAsInts();
                IntVector highs =
                        ShortVector.fromArray(SHORTS, sums, dots + UNIT).reinterpretAsInts();
                FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
                FloatVector dot = ((FloatVector) highs.lanewise(LSHL, 16)
                                .lanewise(ASHR, 16)
                                .add(highs.lanewise(ASHR, 16))
                                .convert(I2F, 0))
                        .mul(16)
                        .add(((FloatVector) lows.lanewise(LSHL, 16)
                                .lanewise(ASHR, 16)
                                .add(lows.lanewise(ASHR, 16))
                                .convert(I2F, 0)))
                        .add(lacking);
                acc = dot.fma(FloatVector.fromArray(FLOATS, weights, weight).mul(d), acc);
                acc.intoArray(out, at);
            }
        }
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
            int outAt) {
        for (int sub = 0; sub < numSubs; sub++) {
            int run = xAt + sub * SCALES;
            float d = x[run];
            for (int v = 0; v < VECTORS; v++) {
                int dots = sumsAt + 2 * sub * UNIT + v * VECTOR;
                int weight = weightsAt + sub * PER_SUB + v * LENGTH;
                int at = outAt + v * LENGTH;
                IntVector firsts = ShortVector.fromArray(SHORTS, sums, dots).reinterpretAsInts();
                FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
                acc = ((FloatVector) firsts.lanewise(LSHL, 16)
                                .lanewise(ASHR, 16)
                                .add(firsts.lanewise(ASHR, 16))
                                .convert(I2F, 0))
                        .fma(FloatVector.fromArray(FLOATS, weights, weight).mul(d), acc);
                IntVector seconds =
                        ShortVector.fromArray(SHORTS, sums, dots + UNIT).reinterpretAsInts();
                acc = ((FloatVector) seconds.lanewise(LSHL, 16)
                                .lanewise(ASHR, 16)
                                .add(seconds.lanewise(ASHR, 16))
                                .convert(I2F, 0))
                        .fma(
                                FloatVector.fromArray(FLOATS, weights, weight + SECOND)
                                        .mul(d),
                                acc);
                acc.intoArray(out, at);
            }
        }
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
            int outAt) {
        for (int sub = 0; sub < numSubs; sub++) {
            int run = xAt + sub * SCALES;
            float d = x[run];
            float first = x[run + 2];
            float second = x[run + 3];
            for (int v = 0; v < VECTORS; v++) {
                int dots = sumsAt + 2 * sub * UNIT + v * VECTOR;
                int weight = weightsAt + sub * PER_SUB + v * LENGTH;
                int at = outAt + v * LENGTH;
                IntVector firsts = ShortVector.fromArray(SHORTS, sums, dots).reinterpretAsInts();
                FloatVector acc = FloatVector.fromArray(FLOATS, out, at);
                acc = ((FloatVector) firsts.lanewise(LSHL, 16)
                                .lanewise(ASHR, 16)
                                .add(firsts.lanewise(ASHR, 16))
                                .convert(I2F, 0))
                        .fma(FloatVector.fromArray(FLOATS, weights, weight).mul(d), acc);
                IntVector seconds =
                        ShortVector.fromArray(SHORTS, sums, dots + UNIT).reinterpretAsInts();
                acc = ((FloatVector) seconds.lanewise(LSHL, 16)
                                .lanewise(ASHR, 16)
                                .add(seconds.lanewise(ASHR, 16))
                                .convert(I2F, 0))
                        .fma(
                                FloatVector.fromArray(FLOATS, weights, weight + SECOND)
                                        .mul(d),
                                acc);
                acc = FloatVector.fromArray(FLOATS, weights, weight + MIN)
                        .fma(FloatVector.broadcast(FLOATS, first), acc);
                acc = FloatVector.fromArray(FLOATS, weights, weight + SECOND + MIN)
                        .fma(FloatVector.broadcast(FLOATS, second), acc);
                acc.intoArray(out, at);
            }
        }
    }
}
