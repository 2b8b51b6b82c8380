package dev.mixtral.kvcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.testing.RandomTensors;
import dev.mixtral.testing.Seeds;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class KvCacheTest {
    private static final int POSITIONS = 150;

    @ParameterizedTest
    @CsvSource({"F32, 40", "F16, 40", "F16, 7", "Q8_0, 16", "Q8_0, 32", "Q8_0, 40", "Q8_0, 128", "Q8_0, 7"})
    void everyElementIsFoundWhereItWasWritten(KvType type, int headDim) {
        Random random = Seeds.random("cache " + type + " " + headDim);
        KvLayout layout = new KvLayout(2, 3, headDim, type);
        FloatMatrix k = RandomTensors.activations(POSITIONS, 3 * headDim, random);
        FloatMatrix v = RandomTensors.activations(POSITIONS, 3 * headDim, random);
        try (KvCache cache = new KvCache(layout)) {
            cache.ensureCapacity(POSITIONS);
            // Layers hold different numbers, so that one written over another shows.
            for (int layer = 0; layer < 2; layer++) {
                for (int position = 0; position < POSITIONS; position++) {
                    cache.write(layer, position, layer == 0 ? k : v, layer == 0 ? v : k, position);
                }
            }
            for (int position = 0; position < POSITIONS; position++) {
                for (int kvHead = 0; kvHead < 3; kvHead++) {
                    int col = kvHead * headDim;
                    for (int i = 0; i < headDim; i++) {
                        float error = tolerance(type, k, position, col, i, headDim);
                        assertThat(cache.key(0, kvHead, position, i))
                                .isCloseTo(k.get(position, col + i), within(error));
                        assertThat(cache.value(1, kvHead, position, i)).isEqualTo(cache.key(0, kvHead, position, i));
                        assertThat(cache.value(0, kvHead, position, i)).isEqualTo(cache.key(1, kvHead, position, i));
                    }
                }
            }
        }
    }

    /// Half a step of the codes, and what rounding the scale to 11 bits adds.
    private static float tolerance(KvType type, FloatMatrix x, int row, int col, int i, int headDim) {
        if (type != KvType.Q8_0) {
            // Half a unit in the last place, of subnormal numbers too.
            return type == KvType.F32 ? 0 : Math.abs(x.get(row, col + i)) * 0x1p-11f + 0x1p-25f;
        }
        float max = 0;
        int run = i / KvType.RUN * KvType.RUN;
        for (int j = run; j < Math.min(headDim, run + KvType.RUN); j++) {
            max = Math.max(max, Math.abs(x.get(row, col + j)));
        }
        return max / 127 * 0.5f * (1 + 0x1p-10f) + max * 0x1p-11f;
    }

    @ParameterizedTest
    @EnumSource
    void zerosAreExact(KvType type) {
        assertThat(keyOf(type, new float[32])).containsOnly(0);
    }

    @Test
    void aBrokenElementShowsInItsRunOnly() {
        float[] x = new float[40];
        x[3] = 1;
        x[33] = 1;
        for (float broken : new float[] {Float.NaN, Float.POSITIVE_INFINITY, 1e9f}) {
            x[5] = broken;
            float[] key = keyOf(KvType.Q8_0, x);
            for (int i = 0; i < 32; i++) {
                assertThat(key[i]).isNaN();
            }
            assertThat(key[33]).isCloseTo(1, within(1e-3f));
            assertThat(key[34]).isZero();
        }
    }

    private static float[] keyOf(KvType type, float[] x) {
        try (KvCache cache = new KvCache(new KvLayout(1, 1, x.length, type))) {
            cache.ensureCapacity(1);
            FloatMatrix row = new FloatMatrix(x, 1, x.length);
            cache.write(0, 0, row, row, 0);
            float[] key = new float[x.length];
            for (int i = 0; i < x.length; i++) {
                key[i] = cache.key(0, 0, 0, i);
            }
            return key;
        }
    }

    @Test
    void bytesAreAsDocumented() {
        assertThat(new KvLayout(32, 8, 128, KvType.F32).bytesPerToken()).isEqualTo(256 << 10);
        assertThat(new KvLayout(32, 8, 128, KvType.F16).bytesPerToken()).isEqualTo(128 << 10);
        assertThat(new KvLayout(32, 8, 128, KvType.Q8_0).bytesPerToken()).isEqualTo(68 << 10);
    }
}
