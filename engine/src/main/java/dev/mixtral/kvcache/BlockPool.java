package dev.mixtral.kvcache;

import java.util.Arrays;

/// Which blocks of the KV cache are in use, by how many, and in which order the free ones are given out.
///
/// A free block may still have content that is worth keeping: those are given out last, the least recently used of
/// them first. Knows numbers only, no memory. Confined to one thread.
public final class BlockPool {
    private final int numBlocks;
    private final int[] references;

    /// Free blocks as a ring through the sentinel `numBlocks`: `next[sentinel]` is given out first.
    private final int[] next;

    private final int[] previous;
    private int numFree;

    /// Creates a pool of free blocks `0 .. numBlocks - 1`.
    public BlockPool(int numBlocks) {
        this.numBlocks = numBlocks;
        this.references = new int[numBlocks];
        this.next = new int[numBlocks + 1];
        this.previous = new int[numBlocks + 1];
        Arrays.setAll(next, i -> i == numBlocks ? 0 : i + 1);
        Arrays.setAll(previous, i -> i == 0 ? numBlocks : i - 1);
        this.numFree = numBlocks;
    }

    /// Returns the number of blocks.
    public int numBlocks() {
        return numBlocks;
    }

    /// Returns the number of blocks that nobody uses.
    public int numFree() {
        return numFree;
    }

    /// Returns by how many a block is used.
    public int references(int block) {
        return references[block];
    }

    /// Takes the free block that is missed least, for one user.
    ///
    /// @throws IllegalStateException if no block is free
    public int allocate() {
        if (numFree == 0) {
            throw new IllegalStateException("all " + numBlocks + " blocks are in use");
        }
        int block = next[numBlocks];
        unlink(block);
        references[block] = 1;
        return block;
    }

    /// Adds a user to a block, which may be free.
    public void retain(int block) {
        if (references[block] == 0) {
            unlink(block);
        }
        references[block]++;
    }

    /// Takes a user from a block.
    ///
    /// @param keep whether the content is worth keeping, should it be free now
    /// @throws IllegalStateException if nobody uses it
    public void release(int block, boolean keep) {
        if (references[block] == 0) {
            throw new IllegalStateException("block " + block + " was released more often than it was taken");
        }
        references[block]--;
        if (references[block] == 0) {
            link(block, keep);
        }
    }

    /// Lets a block be given out before those with content, should it be free.
    public void discard(int block) {
        if (references[block] == 0) {
            unlink(block);
            link(block, false);
        }
    }

    private void link(int block, boolean last) {
        int before = last ? previous[numBlocks] : numBlocks;
        int after = next[before];
        next[before] = block;
        previous[block] = before;
        next[block] = after;
        previous[after] = block;
        numFree++;
    }

    private void unlink(int block) {
        next[previous[block]] = next[block];
        previous[next[block]] = previous[block];
        numFree--;
    }
}
