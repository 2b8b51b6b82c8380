package dev.mixtral.train;

import dev.mixtral.format.MixtralConfig;
import org.bytedeco.pytorch.Tensor;

/// What the forward pass multiplies with: the linear maps of a model, wherever their weights come from.
///
/// Matrices that are applied to the same input are one map: `qkv` is `wq | wk | wv`, `gateUp` is `w1 | w3`. Results
/// live until the caller's [org.bytedeco.javacpp.PointerScope] closes. Confined to one thread at a time.
public interface ModelWeights {
    /// Returns the architecture.
    MixtralConfig config();

    /// Returns what is trained.
    FlatParameters trainable();

    /// Returns the same weights with gradients of their own, for another thread.
    ModelWeights replica();

    /// Chooses the random numbers of the passes that follow, where weights need any (dropout).
    ///
    /// @param seed equal seeds give equal passes; 0 for passes without noise
    default void noise(long seed) {}

    /// Returns the embeddings `[N, dim]` of token ids.
    Tensor embed(long[] ids);

    /// Returns the weight `[dim]` of an RMSNorm, by its Hugging Face name.
    Tensor norm(String name);

    /// Maps `[N, dim]` to queries, keys and values `[N, queryDim + 2 kvDim]`, heads half-split for rotation.
    Tensor qkv(Tensor x, int layer);

    /// Maps the joined heads `[N, queryDim]` to `[N, dim]`.
    Tensor attentionOutput(Tensor x, int layer);

    /// Maps `[N, dim]` to router logits `[N, numExperts]`.
    Tensor router(Tensor x, int layer);

    /// Maps `[n, dim]` to gate and up `[n, 2 ffnDim]` of one expert.
    Tensor gateUp(Tensor x, int layer, int expert);

    /// Maps `[n, ffnDim]` to `[n, dim]` of one expert.
    Tensor down(Tensor x, int layer, int expert);

    /// Maps final states `[N, dim]` to logits `[N, vocabSize]`.
    Tensor logits(Tensor states);
}
