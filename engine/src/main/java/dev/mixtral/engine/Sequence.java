package dev.mixtral.engine;

import dev.mixtral.kvcache.KvCache;
import java.util.Arrays;

/// A cache and the tokens that it holds keys and values of. Confined to one thread at a time.
final class Sequence implements AutoCloseable {
    private final KvCache cache;
    private int[] tokens = new int[64];

    Sequence(KvCache cache) {
        this.cache = cache;
    }

    KvCache cache() {
        return cache;
    }

    /// Records tokens that are about to be computed behind those in the cache.
    void append(int[] ids) {
        int n = cache.numComputedTokens();
        if (tokens.length < n + ids.length) {
            tokens = Arrays.copyOf(tokens, Math.max(2 * tokens.length, n + ids.length));
        }
        System.arraycopy(ids, 0, tokens, n, ids.length);
    }

    /// Returns how many leading tokens of a prompt the cache holds.
    int commonPrefix(int[] prompt) {
        int mismatch = Arrays.mismatch(tokens, 0, cache.numComputedTokens(), prompt, 0, prompt.length);
        return mismatch < 0 ? prompt.length : mismatch;
    }

    @Override
    public void close() {
        cache.close();
    }
}
