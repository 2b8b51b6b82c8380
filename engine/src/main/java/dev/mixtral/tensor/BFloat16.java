package dev.mixtral.tensor;

/// Conversions between `float` and bfloat16, the upper half of an IEEE 754 binary32.
public final class BFloat16 {
    private static final int ABSOLUTE_BITS = 0x7fff_ffff;
    private static final int INFINITY_BITS = 0x7f80_0000;
    private static final int QUIET_BIT = 0x0040;

    private BFloat16() {}

    /// Returns the nearest bfloat16, ties to even; a NaN stays a NaN and becomes quiet.
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        // Rounding would carry a NaN with a full mantissa over into infinity or minus zero.
        if ((bits & ABSOLUTE_BITS) > INFINITY_BITS) {
            return (short) ((bits >>> 16) | QUIET_BIT);
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    /// Returns the `float` of the same value.
    public static float toFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
