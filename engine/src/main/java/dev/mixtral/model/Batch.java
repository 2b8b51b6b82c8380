package dev.mixtral.model;

import dev.mixtral.kvcache.KvCache;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The rows of one forward pass: tokens of one or several sequences, prompt chunks and single steps alike.
///
/// Rows of one sequence are in ascending order of position and follow what its cache already holds. Example: a prompt
/// chunk `[5, 6]` at positions 0 and 1 of sequence A beside the tenth token of sequence B:
///
/// ```
/// tokens    = 5  6  42
/// positions = 0  1  9
/// caches    = A  A  B
/// logits    = no yes yes
/// ```
///
/// @param tokens token ids, each less than `vocabSize`
/// @param positions absolute position of each row in its sequence
/// @param caches the cache of each row's sequence, with room for its position
/// @param wantsLogits whether logits of the row are computed
/// @param adapters the adapter of each row, `null` where it has none; of length 0 if no row has one. Rows of one
///     sequence have the same.
public record Batch(
        int[] tokens,
        int[] positions,
        KvCache[] caches,
        boolean[] wantsLogits,
        @Nullable Adapter[] adapters) {
    private static final @Nullable Adapter[] NO_ADAPTERS = new Adapter[0];

    /// A batch without adapters.
    public Batch(int[] tokens, int[] positions, KvCache[] caches, boolean[] wantsLogits) {
        this(tokens, positions, caches, wantsLogits, NO_ADAPTERS);
    }

    /// Returns the number of rows.
    public int size() {
        return tokens.length;
    }

    /// Returns the number of rows whose logits are computed.
    public int numLogitRows() {
        int n = 0;
        for (boolean wanted : wantsLogits) {
            n += wanted ? 1 : 0;
        }
        return n;
    }

    /// Makes a batch of consecutive tokens of one sequence, which continue what its cache holds.
    ///
    /// @param allLogits whether every row's logits are computed, or the last row's only
    public static Batch of(KvCache cache, int[] tokens, boolean allLogits) {
        return of(cache, tokens, allLogits, null);
    }

    /// Same, with an adapter.
    public static Batch of(KvCache cache, int[] tokens, boolean allLogits, @Nullable Adapter adapter) {
        int n = tokens.length;
        int[] positions = new int[n];
        KvCache[] caches = new KvCache[n];
        boolean[] wantsLogits = new boolean[n];
        for (int i = 0; i < n; i++) {
            positions[i] = cache.numComputedTokens() + i;
            caches[i] = cache;
            wantsLogits[i] = allLogits || i == n - 1;
        }
        @Nullable Adapter[] adapters = NO_ADAPTERS;
        if (adapter != null) {
            adapters = new Adapter[n];
            Arrays.fill(adapters, adapter);
        }
        return new Batch(tokens.clone(), positions, caches, wantsLogits, adapters);
    }
}
