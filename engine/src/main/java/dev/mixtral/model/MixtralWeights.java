package dev.mixtral.model;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.Function;
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
    public static MixtralWeights of(Checkpoint checkpoint) {
        return collect(checkpoint, Linear.Plain::new, Expert.Plain::new);
    }

    /// Prepares the weights of a checkpoint for kernels: packed where that is their fast path. The checkpoint's memory
    /// is needed as long as the weights.
    ///
    /// @param exact whether the weights stay as they are in any case
    /// @param team packs in parallel
    /// @param arena owns the packed weights
    public static MixtralWeights prepare(
            Checkpoint checkpoint, Kernels kernels, boolean exact, ThreadTeam team, Arena arena) {
        if (exact || !kernels.prefersPacked()) {
            return of(checkpoint);
        }
        WeightPacker packer = new WeightPacker(kernels, team, arena);
        return collect(checkpoint, packer::linear, packer::expert);
    }

    /// Returns whether some matrix reads 8-bit activations.
    boolean usesPacked() {
        return output.isPacked()
                || layers.stream()
                        .anyMatch(layer -> Stream.of(layer.wq, layer.wk, layer.wv, layer.wo)
                                        .anyMatch(Linear::isPacked)
                                || layer.experts.stream().anyMatch(Expert.Packed.class::isInstance));
    }

    private static MixtralWeights collect(
            Checkpoint checkpoint, Function<Tensor, Linear> linear, ExpertFactory experts) {
        List<Layer> layers = IntStream.range(0, checkpoint.config().numLayers())
                .mapToObj(l -> layer(checkpoint, "layers." + l + ".", linear, experts))
                .toList();
        return new MixtralWeights(
                checkpoint.tensor("tok_embeddings"),
                layers,
                checkpoint.tensor("norm").toFloats(),
                linear.apply(checkpoint.tensor("output")));
    }

    private static Layer layer(
            Checkpoint checkpoint, String prefix, Function<Tensor, Linear> linear, ExpertFactory experts) {
        MixtralConfig config = checkpoint.config();
        return new Layer(
                checkpoint.tensor(prefix + "attention_norm").toFloats(),
                linear.apply(checkpoint.tensor(prefix + "attention.wq")),
                linear.apply(checkpoint.tensor(prefix + "attention.wk")),
                linear.apply(checkpoint.tensor(prefix + "attention.wv")),
                linear.apply(checkpoint.tensor(prefix + "attention.wo")),
                checkpoint.tensor(prefix + "ffn_norm").toFloats(),
                config.isDense() ? null : checkpoint.tensor(prefix + "feed_forward.gate"),
                IntStream.range(0, config.numExperts())
                        .mapToObj(e -> expert(checkpoint, prefix + "feed_forward.experts." + e + ".", experts))
                        .toList());
    }

    private static Expert expert(Checkpoint checkpoint, String prefix, ExpertFactory experts) {
        return experts.make(
                checkpoint.tensor(prefix + "w1"), checkpoint.tensor(prefix + "w2"), checkpoint.tensor(prefix + "w3"));
    }

    @FunctionalInterface
    private interface ExpertFactory {
        Expert make(Tensor w1, Tensor w2, Tensor w3);
    }
}
