package dev.mixtral.engine;

import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kvcache.KvType;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// How an engine runs a model. Immutable.
///
/// @param kernels `auto`, or the name of the kernels to use
/// @param numThreads compute threads; 0 for one per processor
/// @param contextLength positions a sequence may have; 0 for as many as the model was trained for
/// @param kvType how keys and values are stored; `null` for exact where a full context takes at most half a gibibyte,
///     else half precision
/// @param exact whether weights stay as stored and activations in 32 bits; else quantised weights are packed where the
///     kernels have a faster path for that, which rounds activations to 8 bits
/// @param maxNumBatchedTokens rows of one forward pass: a longer prompt is computed in pieces, with the same result
/// @param maxNumSeqs sequences that run at once; never more than `maxNumBatchedTokens`
/// @param maxWaiting requests that may wait for their turn beside those that run; more are refused
/// @param kvCacheTokens positions that all sequences and the prefix cache share; 0 for what memory allows, and at most
///     a full context for each of `maxNumSeqs`
/// @param prefixCache whether keys and values of ended sequences are kept for prompts that begin like them
/// @param queueTimeout how long a request may wait for its turn; zero for ever
/// @param stallTimeout how long a reader may leave a full buffer before its generation is dropped; zero for ever
public record EngineConfig(
        String kernels,
        int numThreads,
        int contextLength,
        @Nullable KvType kvType,
        boolean exact,
        int maxNumBatchedTokens,
        int maxNumSeqs,
        int maxWaiting,
        int kvCacheTokens,
        boolean prefixCache,
        Duration queueTimeout,
        Duration stallTimeout) {
    private static final int DEFAULT_BATCHED_TOKENS = 512;
    private static final int DEFAULT_SEQS = 16;
    private static final int DEFAULT_WAITING = 256;

    public EngineConfig {
        atLeast("numThreads", numThreads, 0);
        atLeast("contextLength", contextLength, 0);
        atLeast("maxNumBatchedTokens", maxNumBatchedTokens, 1);
        atLeast("maxNumSeqs", maxNumSeqs, 1);
        atLeast("maxWaiting", maxWaiting, 0);
        atLeast("kvCacheTokens", kvCacheTokens, 0);
        if (queueTimeout.isNegative() || stallTimeout.isNegative()) {
            throw new IllegalArgumentException(
                    "queueTimeout " + queueTimeout + " and stallTimeout " + stallTimeout + " must not be negative");
        }
    }

    private static void atLeast(String name, int value, int min) {
        if (value < min) {
            throw new IllegalArgumentException(name + " must be at least " + min + ", got " + value);
        }
    }

    /// Returns the defaults: best kernels, all processors, the model's own context, 16 sequences at once.
    public static EngineConfig defaults() {
        return new EngineConfig(
                KernelSelector.AUTO,
                0,
                0,
                null,
                false,
                DEFAULT_BATCHED_TOKENS,
                DEFAULT_SEQS,
                DEFAULT_WAITING,
                0,
                true,
                Duration.ofMinutes(5),
                Duration.ofMinutes(1));
    }

    /// Returns a copy with other kernels.
    public EngineConfig withKernels(String name) {
        return with(copy -> copy.kernels = name);
    }

    /// Returns a copy with another number of compute threads.
    public EngineConfig withNumThreads(int n) {
        return with(copy -> copy.numThreads = n);
    }

    /// Returns a copy with another context length.
    public EngineConfig withContextLength(int n) {
        return with(copy -> copy.contextLength = n);
    }

    /// Returns a copy with another type of KV cache.
    public EngineConfig withKvType(@Nullable KvType type) {
        return with(copy -> copy.kvType = type);
    }

    /// Returns a copy that computes with 32-bit activations and weights as stored, or not.
    public EngineConfig withExact(boolean value) {
        return with(copy -> copy.exact = value);
    }

    /// Returns a copy with another size of forward passes.
    public EngineConfig withMaxNumBatchedTokens(int n) {
        return with(copy -> copy.maxNumBatchedTokens = n);
    }

    /// Returns a copy with another number of sequences at once.
    public EngineConfig withMaxNumSeqs(int n) {
        return with(copy -> copy.maxNumSeqs = n);
    }

    /// Returns a copy with another length of the queue.
    public EngineConfig withMaxWaiting(int n) {
        return with(copy -> copy.maxWaiting = n);
    }

    /// Returns a copy with another size of the KV cache.
    public EngineConfig withKvCacheTokens(int n) {
        return with(copy -> copy.kvCacheTokens = n);
    }

    /// Returns a copy with or without prefix cache.
    public EngineConfig withPrefixCache(boolean value) {
        return with(copy -> copy.prefixCache = value);
    }

    /// Returns a copy with another limit to the time in the queue.
    public EngineConfig withQueueTimeout(Duration timeout) {
        return with(copy -> copy.queueTimeout = timeout);
    }

    /// Returns a copy with another limit to the time that a reader may lag.
    public EngineConfig withStallTimeout(Duration timeout) {
        return with(copy -> copy.stallTimeout = timeout);
    }

    private EngineConfig with(Consumer<Copy> change) {
        Copy copy = new Copy(this);
        change.accept(copy);
        return copy.toConfig();
    }

    /// The same values, open to one change.
    private static final class Copy {
        private String kernels;
        private int numThreads;
        private int contextLength;
        private @Nullable KvType kvType;
        private boolean exact;
        private int maxNumBatchedTokens;
        private int maxNumSeqs;
        private int maxWaiting;
        private int kvCacheTokens;
        private boolean prefixCache;
        private Duration queueTimeout;
        private Duration stallTimeout;

        Copy(EngineConfig config) {
            kernels = config.kernels;
            numThreads = config.numThreads;
            contextLength = config.contextLength;
            kvType = config.kvType;
            exact = config.exact;
            maxNumBatchedTokens = config.maxNumBatchedTokens;
            maxNumSeqs = config.maxNumSeqs;
            maxWaiting = config.maxWaiting;
            kvCacheTokens = config.kvCacheTokens;
            prefixCache = config.prefixCache;
            queueTimeout = config.queueTimeout;
            stallTimeout = config.stallTimeout;
        }

        EngineConfig toConfig() {
            return new EngineConfig(
                    kernels,
                    numThreads,
                    contextLength,
                    kvType,
                    exact,
                    maxNumBatchedTokens,
                    maxNumSeqs,
                    maxWaiting,
                    kvCacheTokens,
                    prefixCache,
                    queueTimeout,
                    stallTimeout);
        }
    }
}
