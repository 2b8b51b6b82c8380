package dev.mixtral.cli;

import dev.mixtral.error.ContextLengthException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.model.Batch;
import dev.mixtral.model.Mixtral;
import dev.mixtral.model.MixtralWeights;
import dev.mixtral.tensor.FloatMatrix;
import java.util.Arrays;

/// A model that is ready to compute, below the level of requests and sampling: for commands that want its numbers.
///
/// Owns its compute threads; the checkpoint stays the caller's, and must outlive it. Confined to one thread.
final class LoadedModel implements AutoCloseable {
    private static final int CHUNK_TOKENS = 512;

    private final MixtralConfig config;
    private final Mixtral model;
    private final ThreadTeam team;
    private final KvType kvType;
    private final String kernels;

    /// Is given the logits of consecutive positions.
    @FunctionalInterface
    interface LogitsReader {
        /// Takes one position's logits.
        ///
        /// @param index position in the sequence
        /// @param logits valid during the call only
        /// @param row row of `logits`
        void read(int index, FloatMatrix logits, int row);
    }

    LoadedModel(Checkpoint checkpoint, ComputeOptions options) {
        this.config = checkpoint.config();
        this.kvType = options.kvType();
        KernelSelector.Selection selection = KernelSelector.select(options.kernels());
        this.kernels = selection.kernels().name();
        this.team = new ThreadTeam(options.threads());
        this.model = new Mixtral(
                config, checkpoint.ropeLayout(), MixtralWeights.of(checkpoint), selection.kernels(), team);
    }

    Mixtral model() {
        return model;
    }

    /// Returns the name of the kernels that compute.
    String kernels() {
        return kernels;
    }

    KvLayout kvLayout() {
        return new KvLayout(config.numLayers(), config.numKvHeads(), config.headDim(), kvType);
    }

    /// Returns an empty cache for one sequence. The caller closes it.
    KvCache newCache() {
        return new KvCache(kvLayout());
    }

    /// Runs a sequence from its start and hands out logits.
    ///
    /// @param ids the whole sequence
    /// @param all whether every position's logits are wanted, or only the last one's
    /// @throws ContextLengthException if the sequence is longer than the context
    void forEachLogits(int[] ids, boolean all, LogitsReader reader) {
        if (ids.length > config.contextLength()) {
            throw new ContextLengthException(ids.length, config.contextLength());
        }
        try (KvCache cache = newCache()) {
            for (int from = 0; from < ids.length; from += CHUNK_TOKENS) {
                int to = Math.min(ids.length, from + CHUNK_TOKENS);
                FloatMatrix logits = model.forward(Batch.of(cache, Arrays.copyOfRange(ids, from, to), all));
                if (all) {
                    for (int i = from; i < to; i++) {
                        reader.read(i, logits, i - from);
                    }
                } else if (to == ids.length) {
                    reader.read(to - 1, logits, 0);
                }
            }
        }
    }

    @Override
    public void close() {
        team.close();
    }
}
