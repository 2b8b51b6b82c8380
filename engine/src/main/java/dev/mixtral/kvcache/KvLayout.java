package dev.mixtral.kvcache;

/// Where each key and value lies inside a block of [#BLOCK_SIZE] positions. Immutable.
///
/// Keys are stored with positions along the vector lanes, so that one vector operation advances the scores of
/// [#GROUP] positions and no horizontal sum is needed; values lie row by row:
///
/// ```
/// block = numLayers × { keys   [numKvHeads][BLOCK_SIZE / GROUP] × group
///                       values [numKvHeads] × { scales [BLOCK_SIZE][numScales], elements [BLOCK_SIZE][headDim] } }
/// group = scales [numScales][GROUP], elements [headDim][GROUP]
/// ```
///
/// Only [KvType#Q8_0] has scales, in binary16: one for every run of 32 elements of a row. Its codes are signed
/// bytes, and an element is exactly `code · scale`: the product has 19 significant bits, so that any 32-bit
/// arithmetic on the elements is the same for all types.
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

    /// Returns the offset of the group of keys that holds `position`: its scales, then its elements.
    ///
    /// @param position position in the sequence; only its place in its block counts
    public long keyGroupOffset(int layer, int kvHead, int position) {
        int group = position % BLOCK_SIZE / GROUP;
        return layer * layerBytes() + (long) (kvHead * (BLOCK_SIZE / GROUP) + group) * keyGroupBytes();
    }

    /// Returns the bytes of a group of keys.
    public int keyGroupBytes() {
        return GROUP * type.rowBytes(headDim);
    }

    /// Returns the offset of the elements of the group of keys that holds `position`: `[headDim][GROUP]`.
    public long keyElementsOffset(int layer, int kvHead, int position) {
        return keyGroupOffset(layer, kvHead, position) + (long) Short.BYTES * GROUP * type.numScales(headDim);
    }

    /// Returns the offset of a head's values in a block: their scales, then their elements.
    public long valuesOffset(int layer, int kvHead) {
        return layer * layerBytes() + layerBytes() / 2 + (long) kvHead * BLOCK_SIZE * type.rowBytes(headDim);
    }

    /// Returns the offset of the scales of the value at `position`: `[numScales]`, followed by those of the next
    /// position.
    ///
    /// @param position position in the sequence; only its place in its block counts
    public long valueScalesOffset(int layer, int kvHead, int position) {
        return valuesOffset(layer, kvHead) + (long) Short.BYTES * (position % BLOCK_SIZE) * type.numScales(headDim);
    }

    /// Returns the offset of the elements of the value at `position`: `[headDim]`, followed by those of the next
    /// position.
    ///
    /// @param position position in the sequence; only its place in its block counts
    public long valueOffset(int layer, int kvHead, int position) {
        return valuesOffset(layer, kvHead)
                + (long) Short.BYTES * BLOCK_SIZE * type.numScales(headDim)
                + (long) (position % BLOCK_SIZE) * headDim * type.elementBytes();
    }

    private long layerBytes() {
        return 2L * numKvHeads * BLOCK_SIZE * type.rowBytes(headDim);
    }
}
