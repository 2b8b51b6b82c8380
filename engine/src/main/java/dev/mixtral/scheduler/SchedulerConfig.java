package dev.mixtral.scheduler;

/// Limits of a scheduler. Immutable.
///
/// @param numBlocks blocks of [dev.mixtral.kvcache.KvLayout#BLOCK_SIZE] positions that all sequences share
/// @param maxNumSeqs sequences that run at once; at most `maxNumBatchedTokens`, so that every one gets a row
/// @param maxNumBatchedTokens rows of a forward pass
/// @param maxNumMixedPrefillTokens prompt rows of a forward pass that also generates: each makes those who wait for
///     their next token wait longer
/// @param prefixCache whether contents of blocks are kept for prompts that begin alike
public record SchedulerConfig(
        int numBlocks, int maxNumSeqs, int maxNumBatchedTokens, int maxNumMixedPrefillTokens, boolean prefixCache) {
    public SchedulerConfig {
        if (numBlocks < 1 || maxNumSeqs < 1 || maxNumMixedPrefillTokens < 1 || maxNumBatchedTokens < maxNumSeqs) {
            throw new IllegalArgumentException("numBlocks " + numBlocks + ", maxNumSeqs " + maxNumSeqs
                    + " and maxNumMixedPrefillTokens " + maxNumMixedPrefillTokens
                    + " must be positive, and maxNumBatchedTokens " + maxNumBatchedTokens + " at least maxNumSeqs");
        }
    }
}
