package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.Tensor;

/// One feed-forward network: `w2 · (silu(w1 · x) ⊙ (w3 · x))` (SwiGLU, arXiv 2002.05202).
public sealed interface Expert {
    /// Returns `w2`, `[dim, ffnDim]`.
    Linear down();

    /// Returns the bytes that one row's visit reads.
    long byteSize();

    /// Computes columns `[from, to)` of the activated inner layer for some rows.
    ///
    /// @param x `[T, dim]`
    /// @param hidden `[T, ffnDim]`; receives `silu(w1 · x) ⊙ (w3 · x)` in the form that `down` reads
    /// @param up `[T, ffnDim]`; working memory
    void gateAndUp(
            Kernels kernels,
            Activations x,
            int fromToken,
            int numTokens,
            int from,
            int to,
            Activations hidden,
            FloatMatrix up,
            Scratch scratch);

    /// An expert as its file stores it.
    ///
    /// @param w1 `[ffnDim, dim]`, the gate
    /// @param down `w2`, `[dim, ffnDim]`
    /// @param w3 `[ffnDim, dim]`, up
    record Plain(Tensor w1, Linear.Plain down, Tensor w3) implements Expert {
        @Override
        public long byteSize() {
            return w1.data().byteSize() + down.byteSize() + w3.data().byteSize();
        }

        @Override
        public void gateAndUp(
                Kernels kernels,
                Activations x,
                int fromToken,
                int numTokens,
                int from,
                int to,
                Activations hidden,
                FloatMatrix up,
                Scratch scratch) {
            FloatMatrix gate = hidden.floats();
            kernels.matmul(w1, from, to, x.floats(), fromToken, numTokens, gate, scratch);
            kernels.matmul(w3, from, to, x.floats(), fromToken, numTokens, up, scratch);
            for (int t = fromToken; t < fromToken + numTokens; t++) {
                kernels.swiGlu(gate, up, t, from, to);
            }
        }
    }

    /// A packed expert, contiguous in memory.
    ///
    /// @param gateUp `[2 · ffnDim, dim]`, panels of gate and up in turn
    /// @param down `[dim, ffnDim]`
    record Packed(PackedMatrix gateUp, Linear.Packed down) implements Expert {
        @Override
        public long byteSize() {
            return gateUp.data().byteSize() + down.byteSize();
        }

        @Override
        public void gateAndUp(
                Kernels kernels,
                Activations x,
                int fromToken,
                int numTokens,
                int from,
                int to,
                Activations hidden,
                FloatMatrix up,
                Scratch scratch) {
            kernels.gateUp(gateUp, from, to, x.inEightBits(), fromToken, numTokens, hidden.inEightBits(), scratch);
        }
    }
}
