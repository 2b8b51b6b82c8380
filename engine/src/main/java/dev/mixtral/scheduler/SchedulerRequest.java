package dev.mixtral.scheduler;

import dev.mixtral.kvcache.BlockHash;
import dev.mixtral.kvcache.KvLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A sequence as the scheduler sees it: its tokens, how many of them are computed, and its blocks. Confined to the
/// scheduler's thread.
public final class SchedulerRequest {
    private final String client;
    private final BlockHash root;
    private final int numPromptTokens;
    private final int maxNumTokens;
    private final List<BlockHash> blockHashes = new ArrayList<>();
    private int[] tokens;
    private int numTokens;
    private int[] blocks = new int[4];
    private int numBlocks;

    /// Place in the order of arrival, given by the scheduler.
    long arrival;

    int numComputedTokens;
    int numScheduledTokens;
    int numCachedTokens = -1;
    boolean paused;
    boolean hasNewBlocks;
    RequestStatus status = RequestStatus.WAITING;

    /// @param prompt token ids, at least one; not modified
    /// @param maxNumTokens most tokens that the sequence may have, its prompt included
    /// @param client whom it belongs to
    /// @param root stands before its first block: sequences share keys and values only if theirs are equal
    public SchedulerRequest(int[] prompt, int maxNumTokens, String client, BlockHash root) {
        if (prompt.length == 0 || maxNumTokens < prompt.length) {
            throw new IllegalArgumentException(
                    "a prompt of " + prompt.length + " tokens for a sequence of at most " + maxNumTokens);
        }
        this.tokens = prompt.clone();
        this.numTokens = prompt.length;
        this.numPromptTokens = prompt.length;
        this.maxNumTokens = maxNumTokens;
        this.client = client;
        this.root = root;
    }

    /// Returns whom the request belongs to.
    public String client() {
        return client;
    }

    /// Returns where the request is.
    public RequestStatus status() {
        return status;
    }

    /// Returns the length of the prompt.
    public int numPromptTokens() {
        return numPromptTokens;
    }

    /// Returns the length of the sequence: prompt and what was generated.
    public int numTokens() {
        return numTokens;
    }

    /// Returns the most tokens that the sequence may have.
    public int maxNumTokens() {
        return maxNumTokens;
    }

    /// Returns how many leading tokens have keys and values.
    public int numComputedTokens() {
        return numComputedTokens;
    }

    /// Returns how many leading prompt tokens were in the prefix cache when the request first ran; 0 before.
    public int numCachedTokens() {
        return Math.max(0, numCachedTokens);
    }

    /// Returns whether the request is held back, because its reader lags.
    public boolean isPaused() {
        return paused;
    }

    /// Returns a token of the sequence.
    public int token(int position) {
        return tokens[position];
    }

    /// Returns the number of blocks that the request holds.
    public int numBlocks() {
        return numBlocks;
    }

    /// Returns the block of positions `index * BLOCK_SIZE ..`.
    public int block(int index) {
        return blocks[index];
    }

    int numPendingTokens() {
        return numTokens - numComputedTokens;
    }

    boolean isDecoding() {
        return numPendingTokens() == 1;
    }

    /// Returns the tokens; those from `numTokens` on mean nothing.
    int[] tokens() {
        return tokens;
    }

    void append(int token) {
        if (numTokens == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * tokens.length);
        }
        tokens[numTokens++] = token;
    }

    void addBlock(int block) {
        if (numBlocks == blocks.length) {
            blocks = Arrays.copyOf(blocks, 2 * blocks.length);
        }
        blocks[numBlocks++] = block;
    }

    void clearBlocks() {
        numBlocks = 0;
    }

    /// Returns the names of at least `count` full blocks of tokens.
    List<BlockHash> blockHashes(int count) {
        while (blockHashes.size() < count) {
            int index = blockHashes.size();
            blockHashes.add(parentHash(index).next(tokens, index * KvLayout.BLOCK_SIZE));
        }
        return blockHashes;
    }

    /// Returns the name of the block before.
    BlockHash parentHash(int index) {
        return index == 0 ? root : blockHashes(index).get(index - 1);
    }

    /// Returns of how many leading tokens two sequences have the same keys and values, at most `limit`.
    int commonTokens(SchedulerRequest other, int limit) {
        if (!root.equals(other.root)) {
            return 0;
        }
        int count = Math.min(limit, Math.min(numTokens, other.numTokens));
        int mismatch = Arrays.mismatch(tokens, 0, count, other.tokens, 0, count);
        return mismatch < 0 ? count : mismatch;
    }
}
