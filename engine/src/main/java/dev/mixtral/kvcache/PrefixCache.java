package dev.mixtral.kvcache;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Finds blocks whose keys and values are those of a prompt's beginning.
///
/// Full blocks have a name, [BlockHash], and are shared. Of the block behind them a part may be of use as well, be it
/// full or what an ended sequence left unfilled: that part is copied, because the two sequences go on differently.
///
/// ```
/// prompt   [ 64 tokens ][ 64 tokens ][ 20 tokens ]
/// cached   [ same      ][ same      ][ 17 same, 30 others ]
///            shared       shared       copied, counts for 17
/// ```
///
/// Does not use blocks itself: an entry ends when [BlockPool] gives its block to somebody else. Confined to one thread.
public final class PrefixCache {
    /// Fewer tokens than this are computed sooner than a block is copied.
    static final int MIN_PARTIAL_TOKENS = 8;

    /// What a block holds.
    ///
    /// @param hash its name; `null` for one that is not full
    /// @param parent name of the block before
    private record Entry(int block, @Nullable BlockHash hash, BlockHash parent, int[] tokens) {}

    private final BlockPool pool;
    private final @Nullable Entry[] entries;
    private final Map<BlockHash, Entry> byHash = new HashMap<>();
    private final Map<BlockHash, List<Entry>> byParent = new HashMap<>();

    /// Creates an empty cache over the blocks of a pool.
    public PrefixCache(BlockPool pool) {
        this.pool = pool;
        this.entries = new Entry[pool.numBlocks()];
    }

    /// Finds the longest beginning of a sequence.
    ///
    /// @param tokens the sequence
    /// @param limit only its first `limit` tokens are looked for
    /// @param root what stands before the sequence's first block
    /// @param hashes names of the sequence's blocks, at least of `limit / BLOCK_SIZE`
    public PrefixMatch find(int[] tokens, int limit, BlockHash root, List<BlockHash> hashes) {
        int[] shared = new int[limit / KvLayout.BLOCK_SIZE];
        int numShared = 0;
        BlockHash parent = root;
        while (numShared < shared.length) {
            Entry entry = byHash.get(hashes.get(numShared));
            if (entry == null) {
                break;
            }
            shared[numShared] = entry.block;
            parent = hashes.get(numShared);
            numShared++;
        }
        PrefixMatch match = PrefixMatch.of(Arrays.copyOf(shared, numShared));
        for (Entry child : byParent.getOrDefault(parent, List.of())) {
            int common = commonTokens(child.tokens, tokens, match.numSharedTokens(), limit);
            match = match.withPartial(child.block, common);
        }
        return match;
    }

    /// Returns how many of a block's tokens a sequence has from `from` on.
    private static int commonTokens(int[] blockTokens, int[] tokens, int from, int limit) {
        int count = Math.min(blockTokens.length, limit - from);
        int mismatch = Arrays.mismatch(blockTokens, 0, count, tokens, from, from + count);
        return mismatch < 0 ? count : mismatch;
    }

    /// Records the content of a full block, unless another block with that content is known.
    ///
    /// @param parent name of the block before
    /// @param tokens the sequence
    /// @param from where the block's tokens begin
    public void addFull(int block, BlockHash hash, BlockHash parent, int[] tokens, int from) {
        if (!byHash.containsKey(hash)) {
            int[] content = Arrays.copyOfRange(tokens, from, from + KvLayout.BLOCK_SIZE);
            add(new Entry(block, hash, parent, content));
        }
    }

    /// Records the content of a block that is not full and that nobody writes to any more, unless it is known.
    ///
    /// @param parent name of the block before
    /// @param tokens the sequence
    /// @param from where the block's tokens begin
    /// @param to where they end
    public void addPartial(int block, BlockHash parent, int[] tokens, int from, int to) {
        boolean known = to - from < MIN_PARTIAL_TOKENS;
        for (Entry child : byParent.getOrDefault(parent, List.of())) {
            known |= commonTokens(child.tokens, tokens, from, to) == to - from;
        }
        if (!known) {
            add(new Entry(block, null, parent, Arrays.copyOfRange(tokens, from, to)));
        }
    }

    private void add(Entry entry) {
        forget(entry.block);
        List<Entry> siblings = byParent.computeIfAbsent(entry.parent, _ -> new ArrayList<>(1));
        for (Entry beginning : List.copyOf(siblings)) {
            // What an earlier turn of a conversation left says nothing that this block does not.
            if (beginning.hash == null
                    && commonTokens(beginning.tokens, entry.tokens, 0, entry.tokens.length)
                            == beginning.tokens.length) {
                siblings.remove(beginning);
                entries[beginning.block] = null;
                pool.discard(beginning.block);
            }
        }
        siblings.add(entry);
        entries[entry.block] = entry;
        if (entry.hash != null) {
            byHash.put(entry.hash, entry);
        }
    }

    /// Returns whether the content of a block is recorded.
    public boolean contains(int block) {
        return entries[block] != null;
    }

    /// Forgets the content of a block, which is about to change.
    public void forget(int block) {
        Entry entry = entries[block];
        if (entry == null) {
            return;
        }
        entries[block] = null;
        if (entry.hash != null) {
            byHash.remove(entry.hash);
        }
        List<Entry> siblings = byParent.getOrDefault(entry.parent, new ArrayList<>());
        siblings.remove(entry);
        if (siblings.isEmpty()) {
            byParent.remove(entry.parent);
        }
    }
}
