package dev.mixtral.kvcache;

import dev.mixtral.tensor.FloatMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Keys and values of one sequence, in blocks: its own, allocated as it grows, or those of a shared [KvStorage] that it
/// is given.
///
/// Owns its own memory until [#close()]. Growing and truncating are the sequence owner's; different threads may write
/// different positions, layers or heads at once.
public final class KvCache implements AutoCloseable {
    private final KvLayout layout;
    private final @Nullable KvStorage storage;
    private final @Nullable OwnMemory own;
    private final List<MemorySegment> blockTable = new ArrayList<>();
    private MemorySegment addresses = MemorySegment.ofArray(new long[0]);
    private int numComputedTokens;

    /// Creates an empty cache with memory of its own.
    public KvCache(KvLayout layout) {
        this.layout = layout;
        this.storage = null;
        this.own = new OwnMemory();
    }

    /// Creates an empty view of blocks of a storage, which must outlive it.
    public KvCache(KvStorage storage) {
        this.layout = storage.layout();
        this.storage = storage;
        this.own = null;
    }

    /// Returns where things lie inside a block.
    public KvLayout layout() {
        return layout;
    }

    /// Returns the number of leading positions whose keys and values are complete.
    public int numComputedTokens() {
        return numComputedTokens;
    }

    /// Makes room for positions `0 .. numTokens - 1`.
    ///
    /// @throws IllegalStateException if the blocks are a storage's, and were not given
    public void ensureCapacity(int numTokens) {
        while ((long) blockTable.size() * KvLayout.BLOCK_SIZE < numTokens) {
            if (own == null) {
                throw new IllegalStateException(
                        numTokens + " positions were asked for, but " + blockTable.size() + " blocks were given");
            }
            append(own.arena.allocate(layout.blockBytes(), OwnMemory.ALIGNMENT));
        }
    }

    /// Gives a view the block of its storage that holds the next [KvLayout#BLOCK_SIZE] positions.
    public void appendBlock(int block) {
        if (storage == null) {
            throw new IllegalStateException("this cache has memory of its own");
        }
        append(storage.block(block));
    }

    /// Takes all blocks from a view, whose positions are forgotten.
    public void clearBlocks() {
        if (storage == null) {
            throw new IllegalStateException("this cache has memory of its own");
        }
        blockTable.clear();
        numComputedTokens = 0;
    }

    /// Returns the number of blocks.
    public int numBlocks() {
        return blockTable.size();
    }

    private void append(MemorySegment block) {
        blockTable.add(block);
        setAddress(blockTable.size() - 1, block.address());
    }

    private void setAddress(int index, long address) {
        long capacity = addresses.byteSize() / Long.BYTES;
        if (index == capacity) {
            MemorySegment larger = MemorySegment.ofArray(new long[Math.toIntExact(Math.max(16, 2 * capacity))]);
            addresses = larger.copyFrom(addresses);
        }
        addresses.setAtIndex(ValueLayout.JAVA_LONG, index, address);
    }

    /// Declares positions up to `numTokens` complete, or forgets those from `numTokens` on. Memory is kept for reuse.
    public void setNumComputedTokens(int numTokens) {
        if (numTokens < 0 || (long) blockTable.size() * KvLayout.BLOCK_SIZE < numTokens) {
            throw new IllegalArgumentException(
                    "numTokens " + numTokens + " outside the " + blockTable.size() + " blocks of the cache");
        }
        numComputedTokens = numTokens;
    }

    /// Returns the block that holds `position`.
    public MemorySegment block(int position) {
        return blockTable.get(position / KvLayout.BLOCK_SIZE);
    }

    /// Returns the memory addresses of the blocks, 64 bits each, for native kernels; not to be modified.
    public MemorySegment blockAddresses() {
        return addresses;
    }

    /// Stores the key and value rows of one position in one layer.
    ///
    /// @param k `[≥ row + 1, numKvHeads * headDim]`, rotated
    /// @param v `[≥ row + 1, numKvHeads * headDim]`
    public void write(int layer, int position, FloatMatrix k, FloatMatrix v, int row) {
        MemorySegment block = block(position);
        for (int kvHead = 0; kvHead < layout.numKvHeads(); kvHead++) {
            int col = kvHead * layout.headDim();
            KvElements.writeKey(block, layout, layer, kvHead, position, k.data(), k.offset(row) + col);
            KvElements.writeValue(block, layout, layer, kvHead, position, v.data(), v.offset(row) + col);
        }
    }

    /// Returns an element of a key that was written, as it is stored: the specification of what kernels read.
    public float key(int layer, int kvHead, int position, int i) {
        return KvElements.key(block(position), layout, layer, kvHead, position, i);
    }

    /// Returns an element of a value that was written, as it is stored.
    public float value(int layer, int kvHead, int position, int i) {
        return KvElements.value(block(position), layout, layer, kvHead, position, i);
    }

    @Override
    public void close() {
        if (own != null) {
            own.arena.close();
        }
    }

    /// Memory of one sequence alone.
    private static final class OwnMemory {
        private static final long ALIGNMENT = 64;

        private final Arena arena = Arena.ofShared();
    }
}
