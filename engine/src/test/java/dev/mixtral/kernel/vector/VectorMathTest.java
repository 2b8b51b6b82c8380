package dev.mixtral.kernel.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.tensor.Tensor;
import dev.mixtral.testing.RandomTensors;
import dev.mixtral.testing.Seeds;
import java.lang.foreign.Arena;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VectorMathTest {
    @Test
    void expIsWithinTwoUnitsInTheLastPlace() {
        double worst = 0;
        for (float x = -87; x < 88; x += 0.00137f) {
            double exact = Math.exp(x);
            double error = Math.abs(exp(x) - exact) / Math.ulp((float) exact);
            worst = Math.max(worst, error);
        }
        assertThat(worst).isLessThan(2);
    }

    @Test
    void expIsDefinedAtTheExtremes() {
        assertThat(exp(0)).isEqualTo(1);
        assertThat(exp(Float.NEGATIVE_INFINITY)).isEqualTo(0);
        assertThat(exp(-1000)).isEqualTo(0);
        assertThat(exp(1000)).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(exp(Float.NaN)).isNaN();
    }

    private static float exp(float x) {
        return VectorMath.exp(FloatVector.broadcast(Lanes.FLOATS, x)).lane(0);
    }

    @ParameterizedTest
    @EnumSource
    void unpackingEqualsTheSpecificationBitForBit(DType type) {
        Random random = Seeds.random("unpack " + type);
        int cols = type.isPlain() ? 301 : 8 * 256;
        try (Arena arena = Arena.ofConfined()) {
            Tensor w = RandomTensors.weights(arena, type, 5, cols, random);
            float[] expected = new float[cols + 2];
            float[] actual = new float[cols + 2];
            for (int row = 0; row < 5; row++) {
                Dequantizer.dequantize(type, w.data(), row * w.rowBytes(), expected, 1, cols);
                Unpack.unpack(type, w.data(), row * w.rowBytes(), actual, 1, cols);
                assertThat(actual).containsExactly(expected);
            }
        }
    }
}
