package dev.mixtral.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.kernel.scalar.ScalarKernels;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.Tensor;
import dev.mixtral.testing.AttentionChecks;
import dev.mixtral.testing.RandomTensors;
import dev.mixtral.testing.Seeds;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Every kernel against the scalar one.
class KernelsTest {
    private final Kernels scalar = new ScalarKernels();
    private final Kernels vector = KernelSelector.select("vector").kernels();
    private final Scratch scratch = new Scratch();

    @ParameterizedTest
    @EnumSource
    void matmulAgrees(DType type) {
        Random random = Seeds.random("matmul " + type);
        int[] sizes = type.isPlain() ? new int[] {1, 3, 8, 15, 16, 17, 33, 100, 513, 1031} : new int[] {1, 2, 3, 5};
        for (int size : sizes) {
            int cols = size * type.blockSize();
            for (int numTokens : new int[] {1, 2, 3, 4, 5, 9, 259}) {
                checkMatmul(type, 1 + random.nextInt(11), cols, numTokens, random);
            }
        }
    }

    private void checkMatmul(DType type, int rows, int cols, int numTokens, Random random) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor w = RandomTensors.weights(arena, type, rows, cols, random);
            int fromToken = random.nextInt(3);
            FloatMatrix x = RandomTensors.activations(fromToken + numTokens, cols, random);
            int from = random.nextInt(rows);
            int to = from + 1 + random.nextInt(rows - from);
            FloatMatrix expected = filled(fromToken + numTokens + 1, rows);
            FloatMatrix actual = filled(fromToken + numTokens + 1, rows);
            scalar.matmul(w, from, to, x, fromToken, numTokens, expected, scratch);
            vector.matmul(w, from, to, x, fromToken, numTokens, actual, scratch);
            float[] weights = w.toFloats();
            for (int t = 0; t < expected.numRows(); t++) {
                for (int r = 0; r < rows; r++) {
                    boolean written = t >= fromToken && t < fromToken + numTokens && r >= from && r < to;
                    double tolerance = written ? 1e-6 * magnitude(weights, r, x, t) : 0;
                    assertThat(actual.get(t, r))
                            .describedAs(
                                    "%s[%d, %d] · %d tokens: row %d of token %d", type, rows, cols, numTokens, r, t)
                            .isCloseTo(expected.get(t, r), within((float) tolerance));
                }
            }
        }
    }

    private static FloatMatrix filled(int rows, int cols) {
        FloatMatrix matrix = new FloatMatrix(rows, cols);
        Arrays.fill(matrix.data(), 12345);
        return matrix;
    }

    /// The sum of absolute products: what a rounding error is measured against.
    private static double magnitude(float[] weights, int row, FloatMatrix x, int token) {
        double sum = 1e-30;
        for (int c = 0; c < x.cols(); c++) {
            sum += Math.abs((double) weights[row * x.cols() + c] * x.get(token, c));
        }
        return sum;
    }

    @ParameterizedTest
    @EnumSource
    void aTokenAloneAndInABatchAgreeBitForBit(DType type) {
        Random random = Seeds.random("batch invariance " + type);
        int cols = 3 * 256 + (type.isPlain() ? 5 : 0);
        int rows = 9;
        try (Arena arena = Arena.ofConfined()) {
            Tensor w = RandomTensors.weights(arena, type, rows, cols, random);
            FloatMatrix x = RandomTensors.activations(11, cols, random);
            FloatMatrix batch = new FloatMatrix(11, rows);
            vector.matmul(w, 0, rows, x, 0, 11, batch, scratch);
            FloatMatrix alone = new FloatMatrix(11, rows);
            for (int t = 0; t < 11; t++) {
                vector.matmul(w, 0, 4, x, t, 1, alone, scratch);
                vector.matmul(w, 4, 5, x, t, 1, alone, scratch);
                vector.matmul(w, 5, rows, x, t, 1, alone, scratch);
            }
            assertThat(alone.data()).containsExactly(batch.data());
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "7", "16", "48", "1000"})
    void rmsNormAgrees(int cols) {
        Random random = Seeds.random("rmsNorm " + cols);
        FloatMatrix x = RandomTensors.activations(3, cols, random);
        float[] weight = RandomTensors.activations(1, cols, random).data();
        FloatMatrix expected = new FloatMatrix(3, cols);
        FloatMatrix actual = new FloatMatrix(3, cols);
        scalar.rmsNorm(x, 1, weight, 1e-5f, expected);
        vector.rmsNorm(x, 1, weight, 1e-5f, actual);
        assertThat(actual.data()).containsExactly(expected.data(), within(4e-6f));
    }

    @Test
    void swiGluAgreesUpToTheExtremes() {
        float[] gates = {
            0,
            -0f,
            1,
            -1,
            20,
            -20,
            88,
            -88,
            89,
            -89,
            104,
            -104,
            1e10f,
            -1e10f,
            Float.MAX_VALUE,
            -Float.MAX_VALUE,
            3,
            4,
            5
        };
        FloatMatrix ups = filled(1, gates.length);
        Arrays.fill(ups.data(), 0.5f);
        FloatMatrix expected = new FloatMatrix(gates.clone(), 1, gates.length);
        FloatMatrix actual = new FloatMatrix(gates.clone(), 1, gates.length);
        scalar.swiGlu(expected, ups, 0, 0, gates.length);
        vector.swiGlu(actual, ups, 0, 0, gates.length);
        for (int i = 0; i < gates.length; i++) {
            float tolerance = Math.abs(expected.get(0, i)) * 1e-6f + 1e-28f;
            assertThat(actual.get(0, i))
                    .describedAs("silu(%s)", gates[i])
                    .isCloseTo(expected.get(0, i), within(tolerance));
        }
    }

    @Test
    void addScaledAgrees() {
        Random random = Seeds.random("addScaled");
        for (int cols : new int[] {1, 15, 16, 33}) {
            FloatMatrix y = RandomTensors.activations(2, cols, random);
            FloatMatrix expected = RandomTensors.activations(2, cols, random);
            FloatMatrix actual = new FloatMatrix(expected.data().clone(), 2, cols);
            scalar.addScaled(expected, 1, 0.3f, y, 0);
            vector.addScaled(actual, 1, 0.3f, y, 0);
            assertThat(actual.data()).containsExactly(expected.data());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "F32, 16, 1",
        "F32, 128, 4",
        "F32, 40, 3",
        "F16, 32, 2",
        "F16, 128, 4",
        "F16, 6, 5",
        "Q8_0, 32, 3",
        "Q8_0, 128, 4",
        "Q8_0, 40, 6",
        "Q8_0, 7, 1"
    })
    void attentionAgreesBitForBit(KvType type, int headDim, int headsPerKvHead) {
        Random random = Seeds.random("attention " + type + " " + headDim);
        int[] lengths = {1, 2, 15, 16, 17, 64, 65, 100, 520, 1_100};
        new AttentionChecks(vector).attention(type, headDim, headsPerKvHead, lengths, random);
    }

    /// The definition itself, beside double precision.
    @ParameterizedTest
    @EnumSource
    void attentionIsAsExactAs32BitsCanBe(KvType type) {
        Random random = Seeds.random("exact attention " + type);
        int n = 700;
        int headDim = 64;
        try (KvCache cache = new KvCache(new KvLayout(1, 1, headDim, type))) {
            cache.ensureCapacity(n);
            FloatMatrix k = RandomTensors.activations(n, headDim, random);
            FloatMatrix v = RandomTensors.activations(n, headDim, random);
            for (int p = 0; p < n; p++) {
                cache.write(0, p, k, v, p);
            }
            FloatMatrix q = RandomTensors.activations(1, headDim, random);
            FloatMatrix actual = filled(1, headDim);
            scalar.attention(q, 0, 1, cache, 0, 0, n - 1, actual, scratch);
            double[] weights = new double[n];
            double sum = 0;
            for (int p = 0; p < n; p++) {
                double dot = 0;
                for (int i = 0; i < headDim; i++) {
                    dot += (double) q.get(0, i) * cache.key(0, 0, p, i);
                }
                weights[p] = Math.exp(dot / Math.sqrt(headDim));
                sum += weights[p];
            }
            for (int i = 0; i < headDim; i++) {
                double expected = 0;
                for (int p = 0; p < n; p++) {
                    expected += weights[p] / sum * cache.value(0, 0, p, i);
                }
                assertThat((double) actual.get(0, i)).isCloseTo(expected, within(2e-6));
            }
        }
    }

    @Test
    void selectorExplainsItself() {
        assertThat(KernelSelector.select("scalar").kernels().name()).isEqualTo("scalar");
        assertThat(KernelSelector.select("auto").kernels().name()).isEqualTo("vector");
        assertThat(KernelSelector.select("auto").reason()).isEqualTo("kernels: vector");
    }
}
