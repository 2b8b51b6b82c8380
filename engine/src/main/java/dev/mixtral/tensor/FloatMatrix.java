package dev.mixtral.tensor;

import java.lang.foreign.MemorySegment;

/// Activations: `[numRows, cols]` 32-bit floats, row-major, without gaps.
///
/// On the heap, where vector code reads fastest. Mutable and unsynchronised: callers give each thread its own rows or
/// columns.
public final class FloatMatrix {
    private final float[] data;
    private final MemorySegment segment;
    private final int numRows;
    private final int cols;

    /// Creates a matrix over an array.
    ///
    /// @param data `numRows * cols` floats
    public FloatMatrix(float[] data, int numRows, int cols) {
        this.data = data;
        this.segment = MemorySegment.ofArray(data);
        this.numRows = numRows;
        this.cols = cols;
    }

    /// Creates a matrix of zeros.
    public FloatMatrix(int numRows, int cols) {
        this(new float[Math.multiplyExact(numRows, cols)], numRows, cols);
    }

    /// Returns all elements.
    public float[] data() {
        return data;
    }

    /// Returns [#data()] for native code: made once, as steps of a model allocate nothing.
    public MemorySegment segment() {
        return segment;
    }

    /// Returns the number of rows.
    public int numRows() {
        return numRows;
    }

    /// Returns the floats in one row.
    public int cols() {
        return cols;
    }

    /// Returns the index in [#data()] of the first element of a row.
    public int offset(int row) {
        return row * cols;
    }

    /// Returns one element.
    public float get(int row, int col) {
        return data[row * cols + col];
    }

    /// Replaces one element.
    public void set(int row, int col, float value) {
        data[row * cols + col] = value;
    }

    /// Copies a row of another matrix with as many columns over a row of this one.
    public void copyRow(int row, FloatMatrix source, int sourceRow) {
        System.arraycopy(source.data, source.offset(sourceRow), data, offset(row), cols);
    }
}
