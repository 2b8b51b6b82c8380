package dev.mixtral.engine;

/// Numbers of a running engine; counters count since it was loaded.
///
/// @param numRunning sequences that hold a place in the batch
/// @param numWaiting requests that wait for their turn, preempted ones included
/// @param numKvBlocks blocks of the KV cache
/// @param numKvBlocksUsed blocks that hold keys and values of running sequences; the rest is free or kept for prompts
///     that begin alike
/// @param promptTokens prompt tokens of admitted requests, cached ones included
/// @param generatedTokens tokens generated
/// @param prefixCacheQueries prompt tokens looked up in the prefix cache
/// @param prefixCacheHits prompt tokens found there
/// @param preemptions times that a sequence lost its blocks to an older one, to be computed again later
/// @param steps forward passes
public record EngineStats(
        int numRunning,
        int numWaiting,
        int numKvBlocks,
        int numKvBlocksUsed,
        long promptTokens,
        long generatedTokens,
        long prefixCacheQueries,
        long prefixCacheHits,
        long preemptions,
        long steps) {
    /// Returns a copy with another number of waiting requests.
    EngineStats withNumWaiting(int n) {
        return new EngineStats(
                numRunning,
                n,
                numKvBlocks,
                numKvBlocksUsed,
                promptTokens,
                generatedTokens,
                prefixCacheQueries,
                prefixCacheHits,
                preemptions,
                steps);
    }
}
