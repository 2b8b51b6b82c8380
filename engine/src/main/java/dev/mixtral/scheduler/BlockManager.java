package dev.mixtral.scheduler;

import dev.mixtral.kvcache.BlockPool;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.PrefixCache;
import dev.mixtral.kvcache.PrefixMatch;
import dev.mixtral.scheduler.SchedulerOutput.BlockCopy;
import java.util.ArrayList;
import java.util.List;

/// Gives blocks to requests and takes them back. Confined to the scheduler's thread.
///
/// Every block of a request counts one user. A block that is about to be copied has one more, until the copy is made:
/// nobody else gets it before.
final class BlockManager {
    private final boolean usesPrefixes;
    private final BlockPool pool;
    private final PrefixCache prefixes;
    private final List<BlockCopy> copies = new ArrayList<>();

    BlockManager(int numBlocks, boolean prefixCache) {
        this.usesPrefixes = prefixCache;
        this.pool = new BlockPool(numBlocks);
        this.prefixes = new PrefixCache(pool);
    }

    static int blocksFor(int numTokens) {
        return (numTokens + KvLayout.BLOCK_SIZE - 1) / KvLayout.BLOCK_SIZE;
    }

    BlockPool pool() {
        return pool;
    }

    /// Returns the copies to make before the next forward pass.
    List<BlockCopy> copies() {
        return List.copyOf(copies);
    }

    /// Declares the copies of the last step made.
    void copiesAreMade() {
        copies.forEach(copy -> release(copy.from()));
        copies.clear();
    }

    /// Gives a request that has none the blocks of all its tokens: shared ones as far as its beginning is known.
    ///
    /// @param running sequences whose blocks may be copied from
    /// @param reserve free blocks to leave
    /// @return whether there were enough
    boolean admit(SchedulerRequest request, List<SchedulerRequest> running, int reserve) {
        PrefixMatch match = usesPrefixes ? find(request, running) : PrefixMatch.NONE;
        if (!fits(request, match, reserve)) {
            match = match.withoutPartial();
            if (!fits(request, match, reserve)) {
                return false;
            }
        }
        take(request, match);
        return true;
    }

    private PrefixMatch find(SchedulerRequest request, List<SchedulerRequest> running) {
        // The last token is always computed: the next one follows from its logits.
        int limit = request.numTokens() - 1;
        int fullBlocks = limit / KvLayout.BLOCK_SIZE;
        PrefixMatch match =
                prefixes.find(request.tokens(), limit, request.parentHash(0), request.blockHashes(fullBlocks));
        int index = match.sharedBlocks().length;
        for (SchedulerRequest donor : running) {
            int common = request.commonTokens(donor, Math.min(limit, donor.numComputedTokens));
            int inBlock = Math.min(common - match.numSharedTokens(), KvLayout.BLOCK_SIZE);
            if (inBlock > match.numPartialTokens()) {
                match = match.withPartial(donor.block(index), inBlock);
            }
        }
        return match;
    }

    private boolean fits(SchedulerRequest request, PrefixMatch match, int reserve) {
        int free = pool.numFree();
        for (int block : match.sharedBlocks()) {
            free -= pool.references(block) == 0 ? 1 : 0;
        }
        if (match.hasPartial() && pool.references(match.partialBlock()) == 0) {
            free--;
        }
        return blocksFor(request.numTokens()) - match.sharedBlocks().length + reserve <= free;
    }

    private void take(SchedulerRequest request, PrefixMatch match) {
        for (int block : match.sharedBlocks()) {
            pool.retain(block);
            request.addBlock(block);
        }
        if (match.hasPartial()) {
            pool.retain(match.partialBlock());
        }
        while (request.numBlocks() < blocksFor(request.numTokens())) {
            grow(request);
        }
        if (match.hasPartial()) {
            copies.add(new BlockCopy(match.partialBlock(), request.block(match.sharedBlocks().length)));
        }
        request.numComputedTokens = match.numTokens();
        request.hasNewBlocks = true;
    }

    /// Returns whether a request has no block for its last token.
    static boolean needsBlock(SchedulerRequest request) {
        return request.numBlocks() < blocksFor(request.numTokens());
    }

    /// Gives a request one more block; one must be free.
    void grow(SchedulerRequest request) {
        int block = pool.allocate();
        prefixes.forget(block);
        request.addBlock(block);
    }

    /// Takes note that more tokens of a request are computed: full blocks can be shared from now on.
    void computed(SchedulerRequest request, int numTokens) {
        int before = request.numComputedTokens / KvLayout.BLOCK_SIZE;
        request.numComputedTokens += numTokens;
        int now = request.numComputedTokens / KvLayout.BLOCK_SIZE;
        for (int i = before; usesPrefixes && i < now; i++) {
            prefixes.addFull(
                    request.block(i),
                    request.blockHashes(now).get(i),
                    request.parentHash(i),
                    request.tokens(),
                    i * KvLayout.BLOCK_SIZE);
        }
    }

    /// Takes all blocks of a request.
    ///
    /// @param keep whether the block that is not full is of use to others
    void free(SchedulerRequest request, boolean keep) {
        int full = request.numComputedTokens / KvLayout.BLOCK_SIZE;
        if (usesPrefixes && keep && full < request.numBlocks()) {
            prefixes.addPartial(
                    request.block(full),
                    request.parentHash(full),
                    request.tokens(),
                    full * KvLayout.BLOCK_SIZE,
                    request.numComputedTokens);
        }
        // The end goes first: a beginning is of use to more.
        for (int i = request.numBlocks() - 1; i >= 0; i--) {
            release(request.block(i));
        }
        request.clearBlocks();
        request.numComputedTokens = 0;
    }

    private void release(int block) {
        pool.release(block, prefixes.contains(block));
    }
}
