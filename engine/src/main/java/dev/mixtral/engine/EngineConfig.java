package dev.mixtral.engine;

import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kvcache.KvType;
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
/// @param maxBatchTokens rows of one forward pass: a longer prompt is computed in pieces, with the same result
public record EngineConfig(
        String kernels,
        int numThreads,
        int contextLength,
        @Nullable KvType kvType,
        boolean exact,
        int maxBatchTokens) {
    private static final int DEFAULT_BATCH_TOKENS = 512;

    public EngineConfig {
        if (numThreads < 0 || contextLength < 0 || maxBatchTokens < 1) {
            throw new IllegalArgumentException("numThreads " + numThreads + " and contextLength " + contextLength
                    + " must not be negative, maxBatchTokens " + maxBatchTokens + " must be positive");
        }
    }

    /// Returns the defaults: best kernels, all processors, the model's own context.
    public static EngineConfig defaults() {
        return new EngineConfig(KernelSelector.AUTO, 0, 0, null, false, DEFAULT_BATCH_TOKENS);
    }

    /// Returns a copy with other kernels.
    public EngineConfig withKernels(String name) {
        return new EngineConfig(name, numThreads, contextLength, kvType, exact, maxBatchTokens);
    }

    /// Returns a copy with another number of compute threads.
    public EngineConfig withNumThreads(int n) {
        return new EngineConfig(kernels, n, contextLength, kvType, exact, maxBatchTokens);
    }

    /// Returns a copy with another context length.
    public EngineConfig withContextLength(int n) {
        return new EngineConfig(kernels, numThreads, n, kvType, exact, maxBatchTokens);
    }

    /// Returns a copy with another type of KV cache.
    public EngineConfig withKvType(@Nullable KvType type) {
        return new EngineConfig(kernels, numThreads, contextLength, type, exact, maxBatchTokens);
    }

    /// Returns a copy with another size of forward passes.
    public EngineConfig withMaxBatchTokens(int n) {
        return new EngineConfig(kernels, numThreads, contextLength, kvType, exact, n);
    }

    /// Returns a copy that computes with 32-bit activations and weights as stored, or not.
    public EngineConfig withExact(boolean value) {
        return new EngineConfig(kernels, numThreads, contextLength, kvType, value, maxBatchTokens);
    }
}
