package dev.mixtral.format;

import dev.mixtral.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// An opened checkpoint: the architecture, and every tensor under one set of names.
///
/// Tensor names are Mistral's own without `.weight`, whatever the file calls them:
///
/// | name | shape |
/// |---|---|
/// | `tok_embeddings`, `output` | `[vocabSize, dim]` (`output` is `tok_embeddings` where the file ties them) |
/// | `norm`, `layers.L.attention_norm`, `layers.L.ffn_norm` | `[dim]` |
/// | `layers.L.attention.wq` / `wo` | `[numHeads * headDim, dim]` / `[dim, numHeads * headDim]` |
/// | `layers.L.attention.wk` / `wv` | `[numKvHeads * headDim, dim]` |
/// | `layers.L.feed_forward.gate` | `[numExperts, dim]`, the router; absent in a dense model |
/// | `layers.L.feed_forward.experts.E.w1` (gate) / `w3` (up) | `[ffnDim, dim]`; a dense model has expert 0 only |
/// | `layers.L.feed_forward.experts.E.w2` (down) | `[dim, ffnDim]` |
///
/// The presence and shape of every tensor has been checked when an implementation hands out a checkpoint. Thread-safe.
/// Owns its mapped memory: closing it invalidates all tensors.
public interface Checkpoint extends AutoCloseable {
    /// Returns where the checkpoint was opened, for messages.
    String source();

    /// Returns the architecture.
    MixtralConfig config();

    /// Returns the order of the rows of `wq` and `wk`.
    RopeLayout ropeLayout();

    /// Returns the tensor with this name of the table above.
    ///
    /// @throws IllegalArgumentException if the architecture has no such tensor
    Tensor tensor(String name);

    /// Returns what the tokenizer is made from, if the checkpoint carries one.
    Optional<TokenizerSource> tokenizerSource();

    /// Returns the checkpoint's own Jinja chat templates, the default first; empty if it carries none.
    List<NamedTemplate> chatTemplates();

    /// Returns the token ids that end a generation, as the checkpoint declares them; may be empty.
    List<Integer> eosTokenIds();

    @Override
    void close();

    /// A Jinja chat template from a checkpoint.
    ///
    /// @param name `default`, or the name it has in a list of templates (`tool_use`)
    /// @param text Jinja source: untrusted
    record NamedTemplate(String name, String text) {}
}
