package dev.mixtral.kernel;

/// Elementary functions in 32-bit floats, defined operation by operation: the specification of what vector and native
/// kernels compute lane by lane, to the last bit.
public final class FloatMath {
    private static final float LOG2_E = 1.442695f;
    // ln 2 in two parts: the first has few enough bits that n * LN2_HIGH is exact for every n in use.
    private static final float LN2_HIGH = 355f / 512;
    private static final float LN2_LOW = -2.1219444e-4f;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer.
    private static final float ROUND = 12582912f;
    private static final float MAX = 88.37f;
    private static final float MIN = -87.33655f;

    private FloatMath() {}

    /// Returns `exp(x)` to within 2 units in the last place; 0 where the result is below the normal floats, infinity
    /// above 88.37. NaN stays NaN.
    ///
    /// Range reduction `x = n ln 2 + r` and a polynomial in `r` (Cephes, `expf`).
    public static float exp(float x) {
        if (Float.isNaN(x)) {
            return x;
        }
        if (x < MIN) {
            return 0;
        }
        if (x > MAX) {
            return Float.POSITIVE_INFINITY;
        }
        float n = x * LOG2_E + ROUND - ROUND;
        float r = Math.fma(n, -LN2_HIGH, x);
        r = Math.fma(n, -LN2_LOW, r);
        float p = Math.fma(1.9875691e-4f, r, 0.0013981999f);
        p = Math.fma(p, r, 0.008333452f);
        p = Math.fma(p, r, 0.041665796f);
        p = Math.fma(p, r, 0.16666666f);
        p = Math.fma(p, r, 0.5f);
        p = Math.fma(p, r * r, r) + 1;
        return p * Float.intBitsToFloat(((int) n + 127) << 23);
    }

    /// Returns `z / (1 + exp(-z))`.
    public static float silu(float z) {
        return z / (1 + exp(-z));
    }
}
