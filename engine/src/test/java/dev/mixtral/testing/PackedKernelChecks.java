package dev.mixtral.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kernel.scalar.ScalarKernels;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;

/// What every provider of kernels for packed weights has to pass: the scalar kernels' results, bit for bit.
///
/// Each check throws an [AssertionError] that names the shape. Which NaN comes out where one must is left open.
public final class PackedKernelChecks {
    private static final int ROWS = PackedType.ROWS;
    private static final float UNTOUCHED = 12345;
    private static final int[] ROW_COUNTS = {1, 15, 16, 17, 40, 200};
    private static final int[] TOKEN_COUNTS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 64, 67};

    private final Kernels scalar = new ScalarKernels();
    private final Kernels candidate;
    private final Scratch scratch = new Scratch();

    /// Creates checks of `candidate`.
    public PackedKernelChecks(Kernels candidate) {
        this.candidate = candidate;
    }

    /// Products of random matrices with all numbers of rows and of tokens, over one to several super-blocks and parts
    /// of the rows.
    public void matmul(PackedType type, Random random) {
        for (int rows : ROW_COUNTS) {
            for (int cols : colCounts(type)) {
                matmul(type, rows, cols, 1 + random.nextInt(rows > 40 ? 3 : 9), random);
            }
        }
        for (int tokens : TOKEN_COUNTS) {
            matmul(type, 33, type.superCols() * (1 + random.nextInt(3)), tokens, random);
        }
    }

    private static int[] colCounts(PackedType type) {
        int[] supers = type.hasSuperScales() ? new int[] {1, 2, 3} : new int[] {1, 2, 7, 8, 9, 17};
        return Arrays.stream(supers).map(n -> n * type.superCols()).toArray();
    }

    private void matmul(PackedType type, int rows, int cols, int numTokens, Random random) {
        try (Arena arena = Arena.ofConfined()) {
            int fromToken = random.nextInt(3);
            PackedMatrix w = RandomTensors.packed(arena, type, rows, cols, random);
            QuantizedRows x = activations(fromToken + numTokens, cols, random);
            int panels = PackedMatrix.numPanels(rows);
            int fromPanel = random.nextInt(panels);
            int toPanel = fromPanel + 1 + random.nextInt(panels - fromPanel);
            compareProducts(w, fromPanel * ROWS, Math.min(rows, toPanel * ROWS), x, fromToken, numTokens);
            compareProducts(w, 0, rows, x, fromToken, numTokens);
        }
    }

    private void compareProducts(PackedMatrix w, int from, int to, QuantizedRows x, int fromToken, int numTokens) {
        FloatMatrix expected = untouched(x.numRows() + 1, w.rows());
        FloatMatrix actual = untouched(x.numRows() + 1, w.rows());
        scalar.matmul(w, from, to, x, fromToken, numTokens, expected, scratch);
        candidate.matmul(w, from, to, x, fromToken, numTokens, actual, scratch);
        String what = String.format(
                "%s[%d, %d], rows %d to %d, tokens %d + %d",
                w.type(), w.rows(), w.cols(), from, to, fromToken, numTokens);
        assertThat(bits(actual.data())).describedAs(what).containsExactly(bits(expected.data()));
    }

    /// Weights and activations at the ends of their ranges, all equal, opposite and in turns: the greatest sums there
    /// are.
    public void extremes(PackedType type, Random random) {
        int cols = 2 * type.superCols();
        for (int pattern : new int[] {0x00, 0xff, 0x0f, 0xf0, 0x55, 0xaa}) {
            for (int sign : new int[] {1, -1, 0}) {
                try (Arena arena = Arena.ofConfined()) {
                    PackedMatrix w = RandomTensors.packed(arena, type, 17, cols, random);
                    fillPlanes(w, pattern);
                    FloatMatrix x = new FloatMatrix(5, cols);
                    for (int i = 0; i < x.data().length; i++) {
                        x.data()[i] = sign == 0 ? (i % 2 == 0 ? 1 : -1) : sign;
                    }
                    compareProducts(w, 0, 17, quantized(x), 0, 5);
                    compareProducts(w, 0, 17, quantized(x), 4, 1);
                }
            }
        }
    }

    private static void fillPlanes(PackedMatrix w, int pattern) {
        PackedType type = w.type();
        for (int panel = 0; panel < PackedMatrix.numPanels(w.rows()); panel++) {
            for (int sub = 0; sub < w.cols() / PackedType.COLS; sub++) {
                long at = type.subBlockOffset(w.cols(), panel, sub) + type.scaleBytes();
                w.data().asSlice(at, type.subBlockBytes() - type.scaleBytes()).fill((byte) pattern);
            }
        }
    }

    /// Scales that are zero, subnormal, infinite or no number, as in a broken file: they must show as they would in
    /// plain code.
    public void specialScales(PackedType type, Random random) {
        short[] halves = {0, (short) 0x8000, 1, (short) 0x83ff, 0x7bff, 0x7c00, (short) 0xfc00, 0x7e00, (short) 0xfc01};
        int cols = 2 * type.superCols();
        try (Arena arena = Arena.ofConfined()) {
            PackedMatrix w = RandomTensors.packed(arena, type, 40, cols, random);
            for (int panel = 0; panel < PackedMatrix.numPanels(40); panel++) {
                for (int sub = 0; sub < cols / PackedType.COLS; sub++) {
                    long at = type.hasSuperScales()
                            ? type.superBlockOffset(cols, panel, sub)
                            : type.subBlockOffset(cols, panel, sub);
                    int numHalves = type.scales().hasMin() ? 2 * ROWS : ROWS;
                    for (int i = 0; i < numHalves; i += 1 + random.nextInt(3)) {
                        short half = halves[random.nextInt(halves.length)];
                        w.data().set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 2L * i, half);
                    }
                }
            }
            QuantizedRows x = activations(6, cols, random);
            compareProducts(w, 0, 40, x, 0, 6);
            compareProducts(w, 0, 40, x, 5, 1);
        }
    }

    /// One token alone, in batches of all sizes and over parts of the rows.
    public void batchInvariance(PackedType type, Random random) {
        int cols = 3 * type.superCols();
        int rows = 330;
        int tokens = 70;
        try (Arena arena = Arena.ofConfined()) {
            PackedMatrix w = RandomTensors.packed(arena, type, rows, cols, random);
            QuantizedRows x = activations(tokens, cols, random);
            FloatMatrix batch = new FloatMatrix(tokens, rows);
            candidate.matmul(w, 0, rows, x, 0, tokens, batch, scratch);
            FloatMatrix parts = new FloatMatrix(tokens, rows);
            for (int t = 0, n = 1; t < tokens; t += n, n = Math.min(n % 9 + 1, tokens - t)) {
                candidate.matmul(w, 0, 16, x, t, n, parts, scratch);
                candidate.matmul(w, 16, 80, x, t, n, parts, scratch);
                candidate.matmul(w, 80, rows, x, t, n, parts, scratch);
            }
            assertThat(bits(parts.data())).describedAs("%s in parts", type).containsExactly(bits(batch.data()));
        }
    }

    /// The inner layer of an expert, from gates near zero to such that saturate, and over parts of the columns.
    public void gateUp(PackedType type, Random random) {
        for (int ffnDim : new int[] {32, 96, 288}) {
            for (int tokens : new int[] {1, 2, 5, 9, 66}) {
                if (ffnDim * tokens < 10_000) {
                    gateUp(type, ffnDim, type.superCols() * (1 + random.nextInt(2)), tokens, random);
                }
            }
        }
    }

    private void gateUp(PackedType type, int ffnDim, int cols, int numTokens, Random random) {
        try (Arena arena = Arena.ofConfined()) {
            int fromToken = random.nextInt(3);
            int run = QuantizedRows.RUN;
            PackedMatrix w = RandomTensors.packed(arena, type, 2 * ffnDim, cols, random);
            QuantizedRows x = activations(fromToken + numTokens, cols, random);
            int from = run * random.nextInt(ffnDim / run);
            int to = from + run * (1 + random.nextInt((ffnDim - from) / run));
            QuantizedRows expected = untouchedRows(x.numRows() + 1, ffnDim);
            QuantizedRows actual = untouchedRows(x.numRows() + 1, ffnDim);
            scalar.gateUp(w, from, to, x, fromToken, numTokens, expected, scratch);
            candidate.gateUp(w, from, to, x, fromToken, numTokens, actual, scratch);
            compareRows(actual, expected, type + " gateUp " + ffnDim + " × " + cols + ", " + numTokens + " tokens");
        }
    }

    /// Activations in 8 bits: of all magnitudes, halfway between codes, subnormal, and such that are no numbers.
    public void quantize(Random random) {
        for (int cols : new int[] {32, 64, 4096}) {
            FloatMatrix x = RandomTensors.activations(24, cols, random);
            for (int row = 0; row < 24; row++) {
                int at = x.offset(row) + random.nextInt(cols);
                switch (row) {
                    case 0 -> Arrays.fill(x.data(), x.offset(0), x.offset(1), 0);
                    case 1 -> Arrays.fill(x.data(), x.offset(1), x.offset(2), -0f);
                    case 2 -> x.data()[at] = Float.NaN;
                    case 3 -> x.data()[at] = Float.POSITIVE_INFINITY;
                    case 4 -> x.data()[at] = Float.NEGATIVE_INFINITY;
                    case 5 -> x.data()[at] = -Float.MAX_VALUE;
                    case 6 -> scale(x, row, 0x1p-140f);
                    case 7 -> scale(x, row, 1e-30f);
                    case 8 -> scale(x, row, 1e-31f);
                    case 9 -> scale(x, row, 1e37f);
                    case 10 -> halfway(x, row, random);
                    default -> scale(x, row, (float) Math.pow(10, random.nextInt(60) - 30));
                }
            }
            QuantizedRows expected = untouchedRows(25, cols);
            QuantizedRows actual = untouchedRows(25, cols);
            for (int row = 0; row < 24; row++) {
                scalar.quantize(x, row, expected);
                candidate.quantize(x, row, actual);
            }
            compareRows(actual, expected, "quantize " + cols);
        }
    }

    /// Compares the gated activation of parts of rows, with numbers whose exponentials are extreme.
    public void activate(Random random) {
        for (int repeat = 0; repeat < 20; repeat++) {
            int cols = QuantizedRows.RUN * (3 + random.nextInt(6));
            int from = QuantizedRows.RUN * random.nextInt(2);
            int to = cols - QuantizedRows.RUN * random.nextInt(2);
            FloatMatrix expected = RandomTensors.activations(3, cols, random);
            scale(expected, 1, (float) Math.pow(10, random.nextInt(30) - 15));
            expected.set(1, from, Float.NEGATIVE_INFINITY);
            expected.set(1, from + 1, -88.5f);
            expected.set(1, to - 1, Float.NaN);
            FloatMatrix actual = copy(expected);
            FloatMatrix up = RandomTensors.activations(3, cols, random);
            QuantizedRows expectedRows = untouchedRows(3, cols);
            QuantizedRows actualRows = untouchedRows(3, cols);
            for (int row = 1; row < 3; row++) {
                scalar.activate(expected, up, row, from, to, expectedRows);
                candidate.activate(actual, up, row, from, to, actualRows);
            }
            assertThat(bits(actual.data())).containsExactly(bits(expected.data()));
            compareRows(actualRows, expectedRows, "activate " + from + " to " + to + " of " + cols);
        }
    }

    /// Compares the second product of an adapter, over odd parts of rows and ranks.
    public void addLowRank(Random random) {
        for (int repeat = 0; repeat < 50; repeat++) {
            int cols = 1 + random.nextInt(300);
            int rank = random.nextInt(20);
            int from = random.nextInt(cols);
            int to = from + random.nextInt(cols - from + 1);
            FloatMatrix factors = RandomTensors.activations(2, rank + random.nextInt(3), random);
            float[] b = RandomTensors.activations(1, rank * cols, random).data();
            FloatMatrix expected = RandomTensors.activations(3, cols, random);
            FloatMatrix actual = copy(expected);
            scalar.addLowRank(factors, 1, b, expected, 2, from, to);
            candidate.addLowRank(factors, 1, b, actual, 2, from, to);
            assertThat(bits(actual.data()))
                    .as("columns %d to %d of %d, rank %d", from, to, cols, rank)
                    .containsExactly(bits(expected.data()));
        }
    }

    private static FloatMatrix copy(FloatMatrix matrix) {
        FloatMatrix copy = new FloatMatrix(matrix.numRows(), matrix.cols());
        System.arraycopy(matrix.data(), 0, copy.data(), 0, matrix.data().length);
        return copy;
    }

    private static void scale(FloatMatrix x, int row, float factor) {
        for (int c = 0; c < x.cols(); c++) {
            x.set(row, c, x.get(row, c) * factor);
        }
    }

    /// With a maximum of 127 a code is the number itself, rounded.
    private static void halfway(FloatMatrix x, int row, Random random) {
        for (int c = 0; c < x.cols(); c++) {
            x.set(row, c, c % QuantizedRows.RUN == 0 ? 127 : random.nextInt(254) - 127 + 0.5f);
        }
    }

    private static void compareRows(QuantizedRows actual, QuantizedRows expected, String what) {
        assertThat(actual.codes()).describedAs("codes of " + what).containsExactly(expected.codes());
        assertThat(bits(actual.scales())).describedAs("scales of " + what).containsExactly(bits(expected.scales()));
    }

    /// Rows of several magnitudes, the last but one of them with an infinite number if there are many.
    private QuantizedRows activations(int rows, int cols, Random random) {
        FloatMatrix x = RandomTensors.activations(rows, cols, random);
        for (int row = 0; row < rows; row++) {
            scale(x, row, (float) Math.pow(4, random.nextInt(7) - 3));
        }
        if (rows > 5) {
            x.set(rows - 2, random.nextInt(cols), Float.POSITIVE_INFINITY);
        }
        return quantized(x);
    }

    private QuantizedRows quantized(FloatMatrix x) {
        QuantizedRows rows = new QuantizedRows(x.numRows(), x.cols());
        for (int row = 0; row < x.numRows(); row++) {
            scalar.quantize(x, row, rows);
        }
        return rows;
    }

    private static FloatMatrix untouched(int rows, int cols) {
        FloatMatrix matrix = new FloatMatrix(rows, cols);
        Arrays.fill(matrix.data(), UNTOUCHED);
        return matrix;
    }

    private static QuantizedRows untouchedRows(int rows, int cols) {
        QuantizedRows matrix = new QuantizedRows(rows, cols);
        Arrays.fill(matrix.codes(), (byte) 99);
        Arrays.fill(matrix.scales(), UNTOUCHED);
        return matrix;
    }

    /// Returns bits, with one NaN for all.
    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }
}
