package dev.mixtral.kvcache;

/// Blocks that hold a beginning of a sequence. Immutable.
///
/// @param sharedBlocks full blocks, in order; not modified
/// @param partialBlock block whose first positions follow those; -1 if there is none
/// @param numPartialTokens how many positions those are
public record PrefixMatch(int[] sharedBlocks, int partialBlock, int numPartialTokens) {
    /// Nothing in common.
    public static final PrefixMatch NONE = of(new int[0]);

    static PrefixMatch of(int[] sharedBlocks) {
        return new PrefixMatch(sharedBlocks, -1, 0);
    }

    /// Returns a match with that block behind the full ones, or this one if the block adds too little.
    ///
    /// @param numTokens how many leading tokens of the block are those of the sequence
    public PrefixMatch withPartial(int block, int numTokens) {
        return numTokens >= PrefixCache.MIN_PARTIAL_TOKENS && numTokens > numPartialTokens
                ? new PrefixMatch(sharedBlocks, block, numTokens)
                : this;
    }

    /// Returns a match of the full blocks only.
    public PrefixMatch withoutPartial() {
        return of(sharedBlocks);
    }

    /// Returns whether a part of a further block is of use.
    public boolean hasPartial() {
        return partialBlock >= 0;
    }

    /// Returns the tokens in full blocks.
    public int numSharedTokens() {
        return sharedBlocks.length * KvLayout.BLOCK_SIZE;
    }

    /// Returns all tokens that need no computing.
    public int numTokens() {
        return numSharedTokens() + numPartialTokens;
    }
}
