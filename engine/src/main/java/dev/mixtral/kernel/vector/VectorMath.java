package dev.mixtral.kernel.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Elementary functions of vectors, built from operations that every compiler and the interpreter round alike.
///
/// The Vector API's own `EXP` calls a platform library when compiled and [Math] when interpreted: two results.
final class VectorMath {
    private static final float LOG2_E = 1.442695f;
    // ln 2 in two parts: the first has few enough bits that n * LN2_HIGH is exact for every n in use.
    private static final float LN2_HIGH = 355f / 512;
    private static final float LN2_LOW = -2.1219444e-4f;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer.
    private static final float ROUND = 12582912f;
    private static final float MAX = 88.37f;
    private static final float MIN = -87.33655f;

    private VectorMath() {}

    /// Returns `x / (1 + exp(-x))`: [dev.mixtral.kernel.FloatMath#silu], lane by lane.
    static FloatVector silu(FloatVector x) {
        return x.div(exp(x.neg()).add(1));
    }

    /// Returns `exp(x)` to within 2 units in the last place; 0 where the result is below the normal floats, infinity
    /// above 88.37. NaN stays NaN.
    ///
    /// Range reduction `x = n ln 2 + r` and a polynomial in `r` (Cephes, `expf`).
    static FloatVector exp(FloatVector x) {
        FloatVector bounded = x.min(MAX).max(MIN);
        FloatVector n = bounded.mul(LOG2_E).add(ROUND).sub(ROUND);
        FloatVector r = n.fma(Lanes.broadcast(-LN2_HIGH), bounded);
        r = n.fma(Lanes.broadcast(-LN2_LOW), r);
        FloatVector p = Lanes.broadcast(1.9875691e-4f);
        p = p.fma(r, Lanes.broadcast(0.0013981999f));
        p = p.fma(r, Lanes.broadcast(0.008333452f));
        p = p.fma(r, Lanes.broadcast(0.041665796f));
        p = p.fma(r, Lanes.broadcast(0.16666666f));
        p = p.fma(r, Lanes.broadcast(0.5f));
        p = p.fma(r.mul(r), r).add(1);
        // 2^n by its exponent bits: the bounds keep it normal.
        FloatVector power = n.convert(VectorOperators.F2I, 0)
                .reinterpretAsInts()
                .add(127)
                .lanewise(VectorOperators.LSHL, 23)
                .reinterpretAsFloats();
        return p.mul(power)
                .blend(0, x.compare(VectorOperators.LT, MIN))
                .blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, MAX));
    }
}
