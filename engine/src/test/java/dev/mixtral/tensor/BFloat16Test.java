package dev.mixtral.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BFloat16Test {
    @Test
    void roundsToNearestAndTiesToEven() {
        assertThat(roundTrip(0x3f80_7fff)).isEqualTo(0x3f80_0000);
        assertThat(roundTrip(0x3f80_8000)).isEqualTo(0x3f80_0000);
        assertThat(roundTrip(0x3f81_8000)).isEqualTo(0x3f82_0000);
        assertThat(roundTrip(0x3f80_8001)).isEqualTo(0x3f81_0000);
        assertThat(roundTrip(0xbf81_8000)).isEqualTo(0xbf82_0000);
    }

    @Test
    void overflowsToInfinity() {
        assertThat(BFloat16.toFloat(BFloat16.fromFloat(Float.MAX_VALUE))).isEqualTo(Float.POSITIVE_INFINITY);
    }

    @Test
    void keepsNansAndMakesThemQuiet() {
        assertThat(roundTrip(0x7f80_0001)).isEqualTo(0x7fc0_0000);
        assertThat(roundTrip(0xffff_ffff)).isEqualTo(0xffff_0000);
    }

    private static int roundTrip(int bits) {
        return Float.floatToRawIntBits(BFloat16.toFloat(BFloat16.fromFloat(Float.intBitsToFloat(bits))));
    }
}
