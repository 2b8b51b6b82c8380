package dev.mixtral.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.testing.Seeds;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Block encoders: the bytes of ggml, small errors, and what is exact stays exact.
class BlockQuantizerTest {
    private static final int COLS = 1024;

    private static Stream<DType> quantized() {
        return Arrays.stream(DType.values()).filter(type -> !type.isPlain());
    }

    private static byte[] encode(DType type, float[] values, int cols, float @Nullable [] importance) {
        byte[] bytes = new byte[(int) type.byteSize(values.length)];
        BlockQuantizer quantizer = new BlockQuantizer();
        for (int from = 0; from < values.length; from += cols) {
            quantizer.quantize(type, values, from, cols, importance, MemorySegment.ofArray(bytes), type.byteSize(from));
        }
        return bytes;
    }

    private static float[] decode(DType type, byte[] bytes, int n) {
        float[] values = new float[n];
        Dequantizer.dequantize(type, MemorySegment.ofArray(bytes), 0, values, 0, n);
        return values;
    }

    private static float[] roundTrip(DType type, float[] values, float @Nullable [] importance) {
        return decode(type, encode(type, values, values.length, importance), values.length);
    }

    private static float[] gaussian(Random random, int n, double scale) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) (random.nextGaussian() * scale);
        }
        return values;
    }

    private static double squaredError(float[] values, float[] decoded, float @Nullable [] importance) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            double difference = (double) values[i] - decoded[i];
            sum += difference * difference * (importance == null ? 1 : importance[i]);
        }
        return sum;
    }

    private static double relativeError(float[] values, float[] decoded) {
        return Math.sqrt(squaredError(values, decoded, null) / squaredError(values, new float[values.length], null));
    }

    /// Rows of eight kinds: normal, uniform, one outlier per block, sparse, constant, positive, large, all zero.
    static float[] goldenRows() {
        Random random = new Random(5);
        float[] values = new float[64 * COLS];
        for (int i = 0; i < values.length; i++) {
            float normal = (float) (random.nextGaussian() * 0.02);
            values[i] = switch (i / COLS % 8) {
                case 0 -> normal;
                case 1 -> random.nextFloat() - 0.5f;
                case 2 -> i % 32 == 3 ? 1 : normal * 0.01f;
                case 3 -> random.nextInt(4) == 0 ? normal : 0;
                case 4 -> 0.37f;
                case 5 -> Math.abs(normal);
                case 6 -> normal * 1000;
                default -> 0;
            };
        }
        return values;
    }

    static float[] goldenImportance() {
        Random random = new Random(6);
        float[] importance = new float[COLS];
        for (int i = 0; i < COLS; i++) {
            float root = 2 * random.nextFloat();
            importance[i] = root * root + 0.01f;
        }
        return importance;
    }

    /// The checksums are of what `ggml_quantize_chunk` makes of the same rows (llama.cpp as of node-llama-cpp 3.22.1).
    @ParameterizedTest
    @CsvSource({
        "Q4_0, 94b1f239, 93878cdf",
        "Q4_1, b55f94f0, 0d7f6c1b",
        "Q5_0, ca38e64a, 2a7fc4c6",
        "Q5_1, 77c16bd0, c969b6ba",
        "Q8_0, fe4a771c, fe4a771c",
        "Q2_K, 86400557, 4d7d9cdd",
        "Q3_K, d24693e1, f53d086b",
        "Q4_K, 2d2d7446, a9cf6a3c",
        "Q5_K, 26dc5647, 3e278d23",
        "Q6_K, 615a3ba7, 4926f913",
        "IQ4_NL, c89775dc, fcacebf7",
        "IQ4_XS, f1d4c164, 2cf02ab1"
    })
    void makesTheBytesOfGgml(DType type, String plain, String weighted) {
        assertThat(checksum(encode(type, goldenRows(), COLS, null))).isEqualTo(plain);
        assertThat(checksum(encode(type, goldenRows(), COLS, goldenImportance())))
                .isEqualTo(weighted);
    }

    private static String checksum(byte[] bytes) {
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        return "%08x".formatted(checksum.getValue());
    }

    @ParameterizedTest
    @CsvSource({
        "Q8_0, 0.006, 7, 32",
        "Q6_K, 0.02, 5, 16",
        "Q5_K, 0.04, 4, 32",
        "Q5_1, 0.04, 4, 32",
        "Q5_0, 0.05, 4, 32",
        "Q4_K, 0.08, 3, 32",
        "Q4_1, 0.09, 3, 32",
        "Q4_0, 0.10, 3, 32",
        "IQ4_NL, 0.08, 3, 32",
        "IQ4_XS, 0.08, 3, 32",
        "Q3_K, 0.17, 2, 16",
        "Q2_K, 0.33, 1, 16"
    })
    void losesLittleAndLessThanPlainRounding(DType type, double bound, int bits, int group) {
        float[] values = gaussian(Seeds.random("losesLittle " + type), 64 * COLS, 0.02);

        double error = relativeError(values, roundTrip(type, values, null));

        assertThat(error)
                .isLessThan(bound)
                .isLessThanOrEqualTo(relativeError(values, plainlyRounded(values, bits, group)) * 1.0001);
    }

    /// Scales each group by its largest element, to levels `-(2^bits - 1) .. 2^bits - 1`, and rounds.
    private static float[] plainlyRounded(float[] values, int bits, int group) {
        int max = (1 << bits) - 1;
        float[] rounded = new float[values.length];
        for (int from = 0; from < values.length; from += group) {
            float scale = Math.abs(ScaleSearch.extreme(values, from, group)) / max;
            float stored = Float.float16ToFloat(Float.floatToFloat16(scale));
            for (int i = from; i < from + group; i++) {
                rounded[i] = stored * Math.round(values[i] / scale);
            }
        }
        return rounded;
    }

    @ParameterizedTest
    @MethodSource("quantized")
    void zerosStayZeros(DType type) {
        for (float value : roundTrip(type, new float[256], null)) {
            assertThat(value == 0).as("%s", value).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("quantized")
    void aConstantStaysNearlyConstant(DType type) {
        for (float constant : new float[] {0.37f, -0.37f, 0.01f, -2e4f}) {
            float[] values = new float[512];
            Arrays.fill(values, constant);

            assertThat(relativeError(values, roundTrip(type, values, null)))
                    .as("%s", constant)
                    .isLessThan(0.02);
        }
    }

    @ParameterizedTest
    @MethodSource("quantized")
    void anyMagnitudeIsFinite(DType type) {
        Random random = Seeds.random("anyMagnitudeIsFinite " + type);
        for (double scale : new double[] {1e-30, 1e-9, 1e-4, 1, 1e4}) {
            float[] values = gaussian(random, COLS, scale);
            float[] importance = goldenImportance();
            for (float[] decoded : new float[][] {roundTrip(type, values, null), roundTrip(type, values, importance)}) {
                for (float value : decoded) {
                    assertThat(Math.abs(value)).isLessThan((float) (20 * scale));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"Q8_0", "Q4_0"})
    void quantisingAgainChangesNothing(DType type) {
        float[] values = gaussian(Seeds.random("quantisingAgain " + type), 16 * COLS, 0.02);
        byte[] once = encode(type, values, COLS, null);

        assertThat(encode(type, decode(type, once, values.length), COLS, null)).isEqualTo(once);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F16", "BF16"})
    void plainTypesKeepWhatTheyCanHold(DType type) {
        float[] values = {0, -0.0f, 1, -1.5f, 0.3359375f, 65280, 0x1p-14f};

        assertThat(roundTrip(type, values, null)).isEqualTo(values);
    }

    @ParameterizedTest
    @MethodSource("quantized")
    void anImportanceLowersTheErrorThatItWeighs(DType type) {
        Set<DType> withoutSearch = EnumSet.of(DType.Q8_0);
        Random random = Seeds.random("anImportance " + type);
        float[] importance = goldenImportance();
        double plain = 0;
        double weighted = 0;
        for (int row = 0; row < 32; row++) {
            float[] values = gaussian(random, COLS, 0.02);
            plain += squaredError(values, roundTrip(type, values, null), importance);
            weighted += squaredError(values, roundTrip(type, values, importance), importance);
        }
        if (withoutSearch.contains(type)) {
            assertThat(weighted).isEqualTo(plain);
        } else {
            assertThat(weighted).isLessThan(plain);
        }
    }

    @Test
    void writesNothingBesidesTheRow() {
        byte[] bytes = new byte[34 * 3];
        Arrays.fill(bytes, (byte) 0x55);
        new BlockQuantizer().quantize(DType.Q8_0, new float[96], 32, 32, null, MemorySegment.ofArray(bytes), 34);

        assertThat(Arrays.copyOf(bytes, 34)).containsOnly(0x55);
        assertThat(Arrays.copyOfRange(bytes, 34, 68)).containsOnly(0);
        assertThat(Arrays.copyOfRange(bytes, 68, 102)).containsOnly(0x55);
    }
}
