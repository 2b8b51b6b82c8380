package dev.mixtral.format;

import dev.mixtral.format.PackedWeights.Stored;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.tensor.PackedDecoder;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.Tensor;
import java.util.Optional;

/// The rows of a checkpoint's matrix as 32-bit floats, whether the file stores them one after the other or packed.
/// Packing moves bits only, so that a packed model gives the very numbers of the one that it was made from.
///
/// Thread-safe. The checkpoint must outlive it.
public sealed interface MatrixRows {
    /// Finds a matrix.
    ///
    /// @param name one of the table of [Checkpoint]
    /// @throws IllegalArgumentException if the architecture has no such matrix
    static MatrixRows of(Checkpoint checkpoint, String name) {
        return checkpoint
                .packedWeights()
                .flatMap(packed -> packed(packed, name))
                .orElseGet(() -> new InOrder(checkpoint.tensor(name)));
    }

    private static Optional<MatrixRows> packed(PackedWeights weights, String name) {
        Optional<Stored> itself = weights.matrix(name);
        if (itself.isPresent()) {
            return itself.map(stored -> new Panels(stored.matrix(), 1, 0));
        }
        // Gate and up of an expert share a matrix, in turns.
        int panel = name.endsWith(".w1") ? 0 : name.endsWith(".w3") ? 1 : -1;
        return panel < 0
                ? Optional.empty()
                : weights.matrix(name.substring(0, name.length() - "w1".length()) + "gate_up")
                        .map(stored -> new Panels(stored.matrix(), 2, panel));
    }

    /// Returns the number of rows.
    int rows();

    /// Returns the number of columns.
    int cols();

    /// Decodes one row.
    ///
    /// @param out receives `cols` floats from index 0 on
    void read(int row, float[] out);

    /// One row after the other.
    ///
    /// @param tensor `[rows, cols]`
    record InOrder(Tensor tensor) implements MatrixRows {
        @Override
        public int rows() {
            return tensor.rows();
        }

        @Override
        public int cols() {
            return tensor.cols();
        }

        @Override
        public void read(int row, float[] out) {
            Dequantizer.dequantize(tensor.type(), tensor.data(), row * tensor.rowBytes(), out, 0, cols());
        }
    }

    /// Panels of 16 rows, perhaps of several matrices in turns.
    ///
    /// @param matrix all of them
    /// @param turns how many matrices
    /// @param turn which of them
    record Panels(PackedMatrix matrix, int turns, int turn) implements MatrixRows {
        @Override
        public int rows() {
            return matrix.rows() / turns;
        }

        @Override
        public int cols() {
            return matrix.cols();
        }

        @Override
        public void read(int row, float[] out) {
            int panel = row / PackedType.ROWS * turns + turn;
            new PackedDecoder(matrix).row(panel * PackedType.ROWS + row % PackedType.ROWS, out);
        }
    }
}
