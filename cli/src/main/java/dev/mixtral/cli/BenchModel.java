package dev.mixtral.cli;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.model.Adapter;
import dev.mixtral.model.Batch;
import dev.mixtral.model.Mixtral;
import dev.mixtral.model.MixtralWeights;
import dev.mixtral.model.RoutingObserver;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A model below the level of requests, tokenizers and sampling, so that a benchmark measures forward passes alone.
///
/// Owns its compute threads; the checkpoint stays the caller's, and must outlive it. Confined to one thread.
final class BenchModel implements AutoCloseable {
    private final MixtralConfig config;
    private final EngineConfig engineConfig;
    private final ThreadTeam team;
    private final Arena packedWeights = Arena.ofShared();
    private final MixtralWeights weights;
    private final Mixtral model;
    private final KernelSelector.Selection kernels;

    BenchModel(Checkpoint checkpoint, EngineConfig engineConfig) {
        this.config = checkpoint.config();
        this.engineConfig = engineConfig;
        this.kernels = KernelSelector.select(engineConfig.kernels());
        this.team = new ThreadTeam(engineConfig.numThreads());
        this.weights = MixtralWeights.prepare(checkpoint, kernels.kernels(), engineConfig.exact(), team, packedWeights);
        this.model = new Mixtral(config, checkpoint.ropeLayout(), weights, kernels.kernels(), team);
    }

    /// Returns which kernels compute, and why.
    KernelSelector.Selection kernels() {
        return kernels;
    }

    /// Returns the weights, as they are computed with.
    MixtralWeights weights() {
        return weights;
    }

    /// Returns how keys and values are stored.
    KvLayout kvLayout() {
        KvType type = engineConfig.kvType() == null ? KvType.F16 : engineConfig.kvType();
        return new KvLayout(config.numLayers(), config.numKvHeads(), config.headDim(), type);
    }

    /// Runs a prompt of made-up tokens into an empty cache, in pieces as the engine does.
    ///
    /// @param sequence number of the sequence: each has other tokens
    /// @param adapter applied to all tokens, or `null`
    void prefill(KvCache cache, int sequence, int numTokens, @Nullable Adapter adapter) {
        int piece = engineConfig.maxNumBatchedTokens();
        for (int from = 0; from < numTokens; from += piece) {
            int[] tokens = new int[Math.min(piece, numTokens - from)];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = token(sequence, from + i);
            }
            model.forward(Batch.of(cache, tokens, false, adapter));
        }
    }

    /// Generates one token in each of several sequences.
    ///
    /// @param adapter applied to all of them, or `null`
    void decode(List<KvCache> caches, @Nullable Adapter adapter, @Nullable RoutingObserver observer) {
        int n = caches.size();
        int[] tokens = new int[n];
        int[] positions = new int[n];
        boolean[] wantsLogits = new boolean[n];
        Arrays.fill(wantsLogits, true);
        for (int i = 0; i < n; i++) {
            positions[i] = caches.get(i).numComputedTokens();
            tokens[i] = token(i, positions[i]);
        }
        @Nullable Adapter[] adapters = new Adapter[adapter == null ? 0 : n];
        Arrays.fill(adapters, adapter);
        model.forward(new Batch(tokens, positions, caches.toArray(KvCache[]::new), wantsLogits, adapters), observer);
    }

    /// Spread over the vocabulary, and the same as `bench/peers` gives other engines; control and byte tokens are
    /// left out.
    private int token(int sequence, int position) {
        int first = Math.min(259, config.vocabSize() - 1);
        return first + (int) ((position * 7919L + sequence * 31L) % (config.vocabSize() - first));
    }

    @Override
    public void close() {
        team.close();
        packedWeights.close();
    }
}
