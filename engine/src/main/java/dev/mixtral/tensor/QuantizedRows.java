package dev.mixtral.tensor;

import java.lang.foreign.MemorySegment;

/// Activations in 8 bits: each run of 32 columns of a row has a scale of its own, `x ≈ scale · q`.
///
/// On the heap, where vector code reads fastest. Mutable and unsynchronised: callers give each thread its own rows or
/// runs. Made by [dev.mixtral.kernel.Kernels]; the arithmetic is that of [#quantize].
///
public final class QuantizedRows {
    /// Columns that share a scale.
    public static final int RUN = 32;

    /// Floats in [#scales()] for each run.
    public static final int SCALES_PER_RUN = 8;

    // One cache line between rows: rows a power of two apart would share a few sets of the cache.
    private static final int CODES_APART = 64;
    private static final int SCALES_APART = 16;

    /// Below this the inverse of a run's maximum could overflow.
    private static final float NEGLIGIBLE = 1e-30f;

    private final byte[] codes;
    private final float[] scales;
    private final MemorySegment codesSegment;
    private final MemorySegment scalesSegment;
    private final int numRows;
    private final int cols;

    /// Creates rows of zeros.
    ///
    /// @param cols columns, a multiple of 32
    public QuantizedRows(int numRows, int cols) {
        if (cols % RUN != 0) {
            throw new IllegalArgumentException("columns in runs of " + RUN + " expected, got " + cols);
        }
        this.codes = new byte[Math.multiplyExact(numRows, cols + CODES_APART)];
        this.scales = new float[Math.multiplyExact(numRows, cols / RUN * SCALES_PER_RUN + SCALES_APART)];
        this.codesSegment = MemorySegment.ofArray(codes);
        this.scalesSegment = MemorySegment.ofArray(scales);
        this.numRows = numRows;
        this.cols = cols;
    }

    /// Returns the codes, `[numRows, cols]` with a gap behind each row, in `-127 … 127`.
    public byte[] codes() {
        return codes;
    }

    /// Returns the scales, `[numRows, cols / 32, 8]` with a gap behind each row. Of each run they are its scale
    /// `d`, then `d · (a + b)`, `d · a`, `d · b`, `a + b`, `a`, `b` with the sums `a` and `b` of its first and last
    /// 16 codes, and 0. Kernels add offsets and minima of weights with them.
    public float[] scales() {
        return scales;
    }

    /// Returns [#codes()] for native code.
    public MemorySegment codesSegment() {
        return codesSegment;
    }

    /// Returns [#scales()] for native code.
    public MemorySegment scalesSegment() {
        return scalesSegment;
    }

    /// Returns the number of rows.
    public int numRows() {
        return numRows;
    }

    /// Returns the columns of a row.
    public int cols() {
        return cols;
    }

    /// Returns the distance of two rows in [#codes()].
    public int codesStride() {
        return cols + CODES_APART;
    }

    /// Returns the distance of two rows in [#scales()].
    public int scalesStride() {
        return cols / RUN * SCALES_PER_RUN + SCALES_APART;
    }

    /// Returns the index in [#codes()] of a row's first code.
    public int codesOffset(int row) {
        return row * codesStride();
    }

    /// Returns the index in [#scales()] of a row's first run.
    public int scalesOffset(int row) {
        return row * scalesStride();
    }

    /// Copies a row of other rows with as many columns over a row of these.
    public void copyRow(int row, QuantizedRows source, int sourceRow) {
        System.arraycopy(source.codes, source.codesOffset(sourceRow), codes, codesOffset(row), cols);
        System.arraycopy(
                source.scales, source.scalesOffset(sourceRow), scales, scalesOffset(row), cols / RUN * SCALES_PER_RUN);
    }

    /// Quantises one run: the specification that every provider follows to the last bit.
    ///
    /// `d = max |x| / 127`, `q = rint(x · (127 / max |x|))`; zeros where `max |x| < 1e-30`. A run with a
    /// number that is not finite gets the scale NaN, so that a broken model shows.
    ///
    /// @param x source
    /// @param at index of the run's first element
    /// @param row row to write to
    /// @param run which run of the row
    public void quantize(float[] x, int at, int row, int run) {
        float max = 0;
        boolean finite = true;
        for (int i = at; i < at + RUN; i++) {
            finite &= Float.isFinite(x[i]);
            max = Math.max(max, Math.abs(x[i]));
        }
        boolean zero = max < NEGLIGIBLE;
        float inverse = !finite || zero ? 0 : 127 / max;
        int first = sumOfCodes(x, at, inverse, codesOffset(row) + run * RUN);
        int second = sumOfCodes(x, at + RUN / 2, inverse, codesOffset(row) + run * RUN + RUN / 2);
        setScales(scalesOffset(row) + run * SCALES_PER_RUN, scaleOf(finite, zero, max), first, second);
    }

    private static float scaleOf(boolean finite, boolean zero, float max) {
        if (!finite) {
            return Float.NaN;
        }
        return zero ? 0 : max / 127;
    }

    private int sumOfCodes(float[] x, int at, float inverse, int codesAt) {
        int sum = 0;
        for (int i = 0; i < RUN / 2; i++) {
            int code = inverse == 0 ? 0 : (int) Math.rint(x[at + i] * inverse);
            codes[codesAt + i] = (byte) code;
            sum += code;
        }
        return sum;
    }

    private void setScales(int at, float d, int first, int second) {
        scales[at] = d;
        scales[at + 1] = d * (first + second);
        scales[at + 2] = d * first;
        scales[at + 3] = d * second;
        scales[at + 4] = first + second;
        scales[at + 5] = first;
        scales[at + 6] = second;
        scales[at + 7] = 0;
    }
}
