package dev.mixtral.train.finetune;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.train.finetune.TargetModules.Module;
import java.util.List;
import java.util.Locale;

/// What a run will take, told from shapes alone.
///
/// @param trainable numbers that are trained
/// @param parameters of the model
/// @param streamed whether frozen weights are decoded layer by layer
/// @param bytes memory at the peak, the mapped checkpoint apart
/// @param availableBytes what there is
record FinetunePlan(long trainable, long parameters, boolean streamed, long bytes, long availableBytes) {
    private static final long FLOAT = 4;

    /// PyTorch, the JVM, and what its allocator keeps back.
    private static final long FIXED_BYTES = 600L << 20;

    /// Tensors of one layer's graph that hold the same activations twice or more; measured on the embedded
    /// model.
    private static final double GRAPH_OVERHEAD = 1.6;

    /// Plans a run.
    ///
    /// @param modules with adapters; empty if all weights are trained
    /// @param countedShare share of the positions whose logits are needed
    static FinetunePlan of(
            MixtralConfig model, FinetuneConfig config, List<Module> modules, int length, double countedShare) {
        long trainable =
                config.isFull() ? model.numParameters() : LoraParameters.count(modules, config.rank(), config.dora());
        long available = AvailableMemory.bytes(config.memoryGib());
        long decoded = bytes(model, config, trainable, length, countedShare, false);
        boolean streamed = switch (config.weights()) {
            case DECODED -> false;
            case STREAMED -> true;
            case AUTO -> !config.isFull() && decoded > available;
        };
        long bytes = streamed ? bytes(model, config, trainable, length, countedShare, true) : decoded;
        return new FinetunePlan(trainable, model.numParameters(), streamed, bytes, available);
    }

    private static long bytes(
            MixtralConfig model,
            FinetuneConfig config,
            long trainable,
            int length,
            double countedShare,
            boolean streamed) {
        int workers = streamed ? 1 : config.threads();
        long training = FLOAT * trainable * (3 + workers);
        long tokens = (long) config.batchSize() * length;
        long mask = FLOAT * tokens * length;
        long logits = (long) (3 * FLOAT * tokens * countedShare * model.vocabSize());
        long weights = config.isFull() ? 0 : streamed ? FLOAT * largestBlock(model) : FLOAT * frozen(model);
        long layer = (long) (GRAPH_OVERHEAD * FLOAT * tokens * activations(model));
        long kept = FLOAT * tokens * model.dim() * (1L + model.numExpertsPerToken());
        long graph = streamed ? layer + model.numLayers() * kept : model.numLayers() * layer;
        return FIXED_BYTES + training + mask + logits + weights + graph;
    }

    /// Floats that the graph of one layer keeps for each token.
    private static long activations(MixtralConfig model) {
        long attention = 6L * model.dim() + 4L * model.queryDim() + 4L * model.kvDim();
        long experts = model.numExpertsPerToken() * (4L * model.dim() + 6L * model.ffnDim());
        return attention + experts;
    }

    /// Weights that are decoded and kept: all but the embeddings, which are looked up.
    private static long frozen(MixtralConfig model) {
        return model.numParameters() - (long) model.vocabSize() * model.dim();
    }

    /// Weights of the largest part that is decoded at once: attention, one expert, or the output matrix.
    private static long largestBlock(MixtralConfig model) {
        long attention = 2L * model.dim() * (model.queryDim() + model.kvDim());
        long expert = 3L * model.dim() * model.ffnDim();
        long output = (long) model.vocabSize() * model.dim();
        return Math.max(attention + expert, output);
    }

    /// Returns the floating-point operations that one token of training takes.
    static double operationsPerToken(MixtralConfig model, boolean full, boolean streamed) {
        double forward = 2.0 * (model.numActiveParameters() - (double) model.vocabSize() * model.dim());
        return forward * (full || streamed ? 3 : 2);
    }

    /// Refuses what cannot fit.
    ///
    /// @throws InvalidRequestException if the memory is too small, with what would help
    void requireFits() {
        if (bytes > availableBytes) {
            throw new InvalidRequestException(
                    "memory-gib",
                    String.format(
                            Locale.ROOT,
                            "the run would take about %.1f GiB of memory, and there are %.1f. Smaller: batch-size with"
                                    + " a larger gradient-accumulation, sequence-length, rank, targets%s.",
                            gib(bytes),
                            gib(availableBytes),
                            streamed ? "" : ", or weights: streamed"));
        }
    }

    static double gib(long bytes) {
        return bytes / (double) (1L << 30);
    }
}
