package dev.mixtral.kvcache;

/// Where each key and value lies inside a block of [#BLOCK_SIZE] positions. Immutable.
///
/// Keys are stored with positions along the vector lanes, so that one vector operation advances the scores of
/// [#GROUP] positions and no horizontal sum is needed; values lie row by row:
///
/// ```
/// block = numLayers × { keys   [numKvHeads][BLOCK_SIZE / GROUP][headDim][GROUP]
///                       values [numKvHeads][BLOCK_SIZE][headDim] }
/// ```
///
/// @param numLayers transformer blocks
/// @param numKvHeads key/value heads
/// @param headDim values of one head
/// @param type element type
public record KvLayout(int numLayers, int numKvHeads, int headDim, KvType type) {
    /// Positions in a block.
    public static final int BLOCK_SIZE = 64;

    /// Neighbouring positions whose keys are interleaved.
    public static final int GROUP = 16;

    /// Returns the bytes of one block: `BLOCK_SIZE` positions of all layers.
    public long blockBytes() {
        return numLayers * layerBytes();
    }

    /// Returns the bytes that one position takes in all layers.
    public long bytesPerToken() {
        return blockBytes() / BLOCK_SIZE;
    }

    /// Returns the offset of the group of keys that holds `position`: `[headDim][GROUP]` elements.
    ///
    /// @param position position in the sequence; only its place in its block counts
    public long keyGroupOffset(int layer, int kvHead, int position) {
        int group = position % BLOCK_SIZE / GROUP;
        return layer * layerBytes() + (long) (kvHead * (BLOCK_SIZE / GROUP) + group) * headDim * GROUP * type.bytes();
    }

    /// Returns the offset of the values of `position`: `[headDim]` elements, followed by those of the next position.
    ///
    /// @param position position in the sequence; only its place in its block counts
    public long valueOffset(int layer, int kvHead, int position) {
        return layer * layerBytes()
                + layerBytes() / 2
                + (long) (kvHead * BLOCK_SIZE + position % BLOCK_SIZE) * headDim * type.bytes();
    }

    private long layerBytes() {
        return 2L * numKvHeads * BLOCK_SIZE * headDim * type.bytes();
    }
}
