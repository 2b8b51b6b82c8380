package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.Tensor;

/// One feed-forward network: `w2 · (silu(w1 · x) ⊙ (w3 · x))` (SwiGLU, arXiv 2002.05202).
///
/// @param w1 `[ffnDim, dim]`, the gate
/// @param w2 `[dim, ffnDim]`, down
/// @param w3 `[ffnDim, dim]`, up
public record Expert(Tensor w1, Tensor w2, Tensor w3) {
    /// Computes columns `[from, to)` of the activated inner layer for some rows.
    ///
    /// @param x `[T, dim]`
    /// @param gate `[T, ffnDim]`; receives `silu(w1 · x) ⊙ (w3 · x)`
    /// @param up `[T, ffnDim]`; receives `w3 · x`
    void gateAndUp(
            Kernels kernels,
            FloatMatrix x,
            int fromToken,
            int numTokens,
            int from,
            int to,
            FloatMatrix gate,
            FloatMatrix up,
            Scratch scratch) {
        kernels.matmul(w1, from, to, x, fromToken, numTokens, gate, scratch);
        kernels.matmul(w3, from, to, x, fromToken, numTokens, up, scratch);
        for (int t = fromToken; t < fromToken + numTokens; t++) {
            kernels.swiGlu(gate, up, t, from, to);
        }
    }
}
