package dev.mixtral.format;

import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
/// The presence and shape of every tensor has been checked when an implementation hands out a checkpoint.
/// Thread-safe.
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

    /// Returns whether the output matrix is the embedding.
    default boolean isTied() {
        return tensor("output").data().equals(tensor("tok_embeddings").data());
    }

    /// Returns what the tokenizer is made from, if the checkpoint carries one.
    Optional<TokenizerSource> tokenizerSource();

    /// Returns the checkpoint's own Jinja chat templates, the default first; empty if it carries none.
    List<NamedTemplate> chatTemplates();

    /// Returns the token ids that end a generation, as the checkpoint declares them; may be empty.
    List<Integer> eosTokenIds();

    /// Returns every tensor as the files hold it, under the file's own names and shapes, in file order.
    List<StoredTensor> tensors();

    /// Returns the files' own metadata as text, for display: GGUF keys and values (arrays as length and type), or the
    /// `__metadata__` of safetensors.
    Map<String, String> metadata();

    /// Returns the metadata of a GGUF file with its types, in file order, or empty if the checkpoint is none.
    /// Arrays are valid while the checkpoint is open.
    default Optional<Map<String, GgufValue>> ggufMetadata() {
        return Optional.empty();
    }

    /// Returns the packed matrices of a packed model file, or empty if the checkpoint is none. What is packed cannot be
    /// had as a [#tensor].
    default Optional<PackedWeights> packedWeights() {
        return Optional.empty();
    }

    @Override
    void close();

    /// A tensor as it is stored.
    ///
    /// @param file the file that holds it
    /// @param tensor under the file's own name
    record StoredTensor(Path file, Tensor tensor) {}

    /// A Jinja chat template from a checkpoint.
    ///
    /// @param name `default`, or the name it has in a list of templates (`tool_use`)
    /// @param text Jinja source: untrusted
    record NamedTemplate(String name, String text) {}
}
