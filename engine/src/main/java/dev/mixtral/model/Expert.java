package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// One feed-forward network: `w2 · (silu(w1 · x) ⊙ (w3 · x))` (SwiGLU, arXiv 2002.05202).
public sealed interface Expert {
    /// Returns `w2`, `[dim, ffnDim]`.
    Linear down();

    /// Returns the bytes that one row's visit reads.
    long byteSize();

    /// Computes columns `[from, to)` of the activated inner layer for some rows.
    ///
    /// @param x `[T, dim]`
    /// @param hidden `[T, ffnDim]`; receives `silu(w1 · x) ⊙ (w3 · x)` in the form that `down` reads,
    ///     and with adapters in floats too
    /// @param up `[T, ffnDim]`; working memory
    /// @param gateUp `[T, 2 · ffnDim]`; working memory of packed experts, with adapters only
    /// @param adapters change the products before their activation; `null` for none
    void gateAndUp(
            Kernels kernels,
            Activations x,
            int fromToken,
            int numTokens,
            int from,
            int to,
            Activations hidden,
            FloatMatrix up,
            FloatMatrix gateUp,
            @Nullable InnerAdapters adapters,
            Scratch scratch);

    /// What adapters do to the inner layer of an expert.
    @FunctionalInterface
    interface InnerAdapters {
        /// Advances columns `[from, to)` of a row of either product.
        void addTo(FloatMatrix gate, FloatMatrix up, int row, int from, int to);
    }

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
                FloatMatrix gateUp,
                @Nullable InnerAdapters adapters,
                Scratch scratch) {
            FloatMatrix gate = hidden.floats();
            kernels.matmul(w1, from, to, x.floats(), fromToken, numTokens, gate, scratch);
            kernels.matmul(w3, from, to, x.floats(), fromToken, numTokens, up, scratch);
            for (int t = fromToken; t < fromToken + numTokens; t++) {
                if (adapters != null) {
                    adapters.addTo(gate, up, t, from, to);
                }
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
                FloatMatrix products,
                @Nullable InnerAdapters adapters,
                Scratch scratch) {
            if (adapters == null) {
                kernels.gateUp(gateUp, from, to, x.inEightBits(), fromToken, numTokens, hidden.inEightBits(), scratch);
                return;
            }
            // The same bits as all at once, where an adapter adds nothing: see Kernels.
            kernels.matmul(gateUp, 2 * from, 2 * to, x.inEightBits(), fromToken, numTokens, products, scratch);
            for (int t = fromToken; t < fromToken + numTokens; t++) {
                separate(products, t, from, to, hidden.floats(), up);
                adapters.addTo(hidden.floats(), up, t, from, to);
                kernels.activate(hidden.floats(), up, t, from, to, hidden.inEightBits());
            }
        }

        /// Takes panels of gate and up apart.
        private static void separate(
                FloatMatrix products, int row, int from, int to, FloatMatrix gate, FloatMatrix up) {
            for (int c = from; c < to; c += PackedType.ROWS) {
                int at = products.offset(row) + 2 * c;
                System.arraycopy(products.data(), at, gate.data(), gate.offset(row) + c, PackedType.ROWS);
                System.arraycopy(products.data(), at + PackedType.ROWS, up.data(), up.offset(row) + c, PackedType.ROWS);
            }
        }
    }
}
