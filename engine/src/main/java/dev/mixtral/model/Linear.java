package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.Tensor;

/// A weight matrix `[out, in]`: as its file stores it, or packed.
public sealed interface Linear {
    /// Returns the number of outputs.
    int rows();

    /// Returns the bytes that one product with the whole matrix reads.
    long byteSize();

    /// Returns whether the matrix reads 8-bit activations.
    default boolean isPacked() {
        return this instanceof Packed;
    }

    /// Multiplies by some rows of the matrix; see [Kernels#matmul].
    void matmul(
            Kernels kernels,
            int fromRow,
            int toRow,
            Activations x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch);

    /// A matrix as stored, multiplied with 32-bit activations.
    record Plain(Tensor tensor) implements Linear {
        @Override
        public int rows() {
            return tensor.rows();
        }

        @Override
        public long byteSize() {
            return tensor.data().byteSize();
        }

        @Override
        public void matmul(
                Kernels kernels,
                int fromRow,
                int toRow,
                Activations x,
                int fromToken,
                int numTokens,
                FloatMatrix out,
                Scratch scratch) {
            kernels.matmul(tensor, fromRow, toRow, x.floats(), fromToken, numTokens, out, scratch);
        }
    }

    /// A packed matrix, multiplied with 8-bit activations.
    record Packed(PackedMatrix matrix) implements Linear {
        @Override
        public int rows() {
            return matrix.rows();
        }

        @Override
        public long byteSize() {
            return matrix.data().byteSize();
        }

        @Override
        public void matmul(
                Kernels kernels,
                int fromRow,
                int toRow,
                Activations x,
                int fromToken,
                int numTokens,
                FloatMatrix out,
                Scratch scratch) {
            kernels.matmul(matrix, fromRow, toRow, x.inEightBits(), fromToken, numTokens, out, scratch);
        }
    }
}
