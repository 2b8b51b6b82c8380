package dev.mixtral.model;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// All weights of a model, as its checkpoint stores them; norms are decoded to floats. Immutable.
///
/// @param tokEmbeddings `[vocabSize, dim]`
/// @param layers one per transformer block
/// @param norm `[dim]`, the final RMSNorm
/// @param output `[vocabSize, dim]`
public record MixtralWeights(Tensor tokEmbeddings, List<Layer> layers, float[] norm, Tensor output) {
    /// The weights of one transformer block.
    ///
    /// @param attentionNorm `[dim]`
    /// @param wq `[numHeads * headDim, dim]`
    /// @param wk `[numKvHeads * headDim, dim]`
    /// @param wv `[numKvHeads * headDim, dim]`
    /// @param wo `[dim, numHeads * headDim]`
    /// @param ffnNorm `[dim]`
    /// @param gate `[numExperts, dim]`, the router; `null` in a dense model
    /// @param experts `numExperts` of them
    public record Layer(
            float[] attentionNorm,
            Tensor wq,
            Tensor wk,
            Tensor wv,
            Tensor wo,
            float[] ffnNorm,
            @Nullable Tensor gate,
            List<Expert> experts) {}

    /// Collects the weights of a checkpoint; the tensors stay in its memory.
    public static MixtralWeights of(Checkpoint checkpoint) {
        MixtralConfig config = checkpoint.config();
        List<Layer> layers = IntStream.range(0, config.numLayers())
                .mapToObj(l -> layer(checkpoint, "layers." + l + "."))
                .toList();
        return new MixtralWeights(
                checkpoint.tensor("tok_embeddings"),
                layers,
                checkpoint.tensor("norm").toFloats(),
                checkpoint.tensor("output"));
    }

    private static Layer layer(Checkpoint checkpoint, String prefix) {
        MixtralConfig config = checkpoint.config();
        return new Layer(
                checkpoint.tensor(prefix + "attention_norm").toFloats(),
                checkpoint.tensor(prefix + "attention.wq"),
                checkpoint.tensor(prefix + "attention.wk"),
                checkpoint.tensor(prefix + "attention.wv"),
                checkpoint.tensor(prefix + "attention.wo"),
                checkpoint.tensor(prefix + "ffn_norm").toFloats(),
                config.isDense() ? null : checkpoint.tensor(prefix + "feed_forward.gate"),
                IntStream.range(0, config.numExperts())
                        .mapToObj(e -> expert(checkpoint, prefix + "feed_forward.experts." + e + "."))
                        .toList());
    }

    private static Expert expert(Checkpoint checkpoint, String prefix) {
        return new Expert(
                checkpoint.tensor(prefix + "w1"), checkpoint.tensor(prefix + "w2"), checkpoint.tensor(prefix + "w3"));
    }
}
