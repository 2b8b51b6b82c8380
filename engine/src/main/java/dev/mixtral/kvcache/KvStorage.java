package dev.mixtral.kvcache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// The memory of all blocks that sequences share. Owns it until [#close()].
///
/// Memory comes in slabs, when a block of them is used for the first time; slabs begin at borders of huge pages.
/// Confined to one thread, apart from the blocks' contents.
public final class KvStorage implements AutoCloseable {
    private static final long SLAB_BYTES = 8L << 20;
    private static final long HUGE_PAGE_BYTES = 2L << 20;

    private final KvLayout layout;
    private final int numBlocks;
    private final int blocksPerSlab;
    private final MemorySegment[] slabs;
    private final Arena arena = Arena.ofShared();

    /// Creates a storage that has no memory yet.
    public KvStorage(KvLayout layout, int numBlocks) {
        this.layout = layout;
        this.numBlocks = numBlocks;
        this.blocksPerSlab = Math.clamp(SLAB_BYTES / layout.blockBytes(), 1, Math.max(1, numBlocks));
        this.slabs = new MemorySegment[(numBlocks + blocksPerSlab - 1) / blocksPerSlab];
    }

    /// Returns where things lie inside a block.
    public KvLayout layout() {
        return layout;
    }

    /// Returns the number of blocks.
    public int numBlocks() {
        return numBlocks;
    }

    /// Returns the memory of a block.
    public MemorySegment block(int block) {
        int slab = block / blocksPerSlab;
        MemorySegment memory = slabs[slab];
        if (memory == null) {
            int count = Math.min(blocksPerSlab, numBlocks - slab * blocksPerSlab);
            memory = arena.allocate(count * layout.blockBytes(), HUGE_PAGE_BYTES);
            slabs[slab] = memory;
        }
        return memory.asSlice(block % blocksPerSlab * layout.blockBytes(), layout.blockBytes());
    }

    /// Copies a block's content to another.
    public void copy(int from, int to) {
        block(to).copyFrom(block(from));
    }

    @Override
    public void close() {
        arena.close();
    }
}
