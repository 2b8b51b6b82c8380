package dev.mixtral.tensor;

import java.lang.foreign.MemorySegment;

/// A weight matrix in panels of 16 rows: what the fast kernels read. See [PackedType] for the layout.
///
/// Immutable; the memory belongs to whoever packed it and must outlive the matrix. Rows beyond the last are zeros.
///
/// @param name for messages
/// @param type how weights are stored
/// @param rows rows, perhaps not a multiple of 16
/// @param cols columns, a multiple of the type's super-block
/// @param data `numPanels` panels
public record PackedMatrix(String name, PackedType type, int rows, int cols, MemorySegment data) {
    public PackedMatrix {
        if (data.byteSize() != byteSize(type, rows, cols)) {
            throw new IllegalArgumentException(name + ": " + type + "[" + rows + ", " + cols + "] takes "
                    + byteSize(type, rows, cols) + " bytes, got " + data.byteSize());
        }
    }

    /// Returns the bytes that a matrix takes.
    public static long byteSize(PackedType type, int rows, int cols) {
        return Math.multiplyExact(type.panelBytes(cols), (long) numPanels(rows));
    }

    /// Returns how many panels hold `rows` rows.
    public static int numPanels(int rows) {
        return (rows + PackedType.ROWS - 1) / PackedType.ROWS;
    }

    /// Returns the bytes of one panel.
    public long panelBytes() {
        return type.panelBytes(cols);
    }
}
