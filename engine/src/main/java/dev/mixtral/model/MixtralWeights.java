package dev.mixtral.model;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// All weights of a model, as its checkpoint stores them or packed; norms are decoded to floats. Immutable.
///
/// @param tokEmbeddings `[vocabSize, dim]`
/// @param layers one per transformer block
/// @param norm `[dim]`, the final RMSNorm
/// @param output `[vocabSize, dim]`
public record MixtralWeights(Tensor tokEmbeddings, List<Layer> layers, float[] norm, Linear output) {
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
            Linear wq,
            Linear wk,
            Linear wv,
            Linear wo,
            float[] ffnNorm,
            @Nullable Tensor gate,
            List<Expert> experts) {}

    /// Collects the weights of a checkpoint as they are; the tensors stay in its memory.
    ///
    /// @throws InvalidRequestException if the checkpoint is packed
    public static MixtralWeights of(Checkpoint checkpoint) {
        if (checkpoint.packedWeights().isPresent()) {
            throw new InvalidRequestException(
                    "exact",
                    checkpoint.source() + " is a packed model, which is computed with 8-bit activations. Exact results"
                            + " need the model that it was made from.");
        }
        return collect(checkpoint, new StoredMatrices(checkpoint));
    }

    /// Prepares the weights of a checkpoint for kernels: packed where that is their fast path. The checkpoint's memory
    /// is needed as long as the weights.
    ///
    /// @param exact whether the weights stay as they are in any case
    /// @param team packs in parallel
    /// @param arena owns the packed weights
    public static MixtralWeights prepare(
            Checkpoint checkpoint, Kernels kernels, boolean exact, ThreadTeam team, Arena arena) {
        if (checkpoint.packedWeights().isPresent() && !exact) {
            try (PackedFileMatrices file = new PackedFileMatrices(checkpoint, kernels, team, arena)) {
                return collect(checkpoint, file);
            }
        }
        if (exact || !kernels.prefersPacked()) {
            return of(checkpoint);
        }
        return collect(checkpoint, new WeightPacker(checkpoint, kernels, team, arena));
    }

    /// Returns whether some matrix reads 8-bit activations.
    boolean usesPacked() {
        return output.isPacked()
                || layers.stream()
                        .anyMatch(layer -> Stream.of(layer.wq, layer.wk, layer.wv, layer.wo)
                                        .anyMatch(Linear::isPacked)
                                || layer.experts.stream().anyMatch(Expert.Packed.class::isInstance));
    }

    private static MixtralWeights collect(Checkpoint checkpoint, MatrixSource source) {
        List<Layer> layers = IntStream.range(0, checkpoint.config().numLayers())
                .mapToObj(l -> layer(checkpoint, "layers." + l + ".", source))
                .toList();
        return new MixtralWeights(
                checkpoint.tensor("tok_embeddings"),
                layers,
                checkpoint.tensor("norm").toFloats(),
                source.linear("output"));
    }

    private static Layer layer(Checkpoint checkpoint, String prefix, MatrixSource source) {
        MixtralConfig config = checkpoint.config();
        return new Layer(
                checkpoint.tensor(prefix + "attention_norm").toFloats(),
                source.linear(prefix + "attention.wq"),
                source.linear(prefix + "attention.wk"),
                source.linear(prefix + "attention.wv"),
                source.linear(prefix + "attention.wo"),
                checkpoint.tensor(prefix + "ffn_norm").toFloats(),
                config.isDense() ? null : checkpoint.tensor(prefix + "feed_forward.gate"),
                IntStream.range(0, config.numExperts())
                        .mapToObj(e -> source.expert(prefix + "feed_forward.experts." + e + "."))
                        .toList());
    }
}
