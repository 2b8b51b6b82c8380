package dev.mixtral.kvcache;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// Names the content of a full block by its tokens and all tokens before them: SHA-256 over the name of the block
/// before and the ids. Nobody can find two texts of one name, so equal names are equal contents. Immutable.
///
/// @param a first 64 bits
/// @param b second 64 bits
/// @param c third 64 bits
/// @param d fourth 64 bits
public record BlockHash(long a, long b, long c, long d) {
    /// Stands before the first block.
    public static final BlockHash ROOT = new BlockHash(0, 0, 0, 0);

    /// Returns the name of the block after this one.
    ///
    /// @param tokens a sequence
    /// @param from where the block's [KvLayout#BLOCK_SIZE] tokens begin
    public BlockHash next(int[] tokens, int from) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * Long.BYTES + KvLayout.BLOCK_SIZE * Integer.BYTES);
        bytes.putLong(a).putLong(b).putLong(c).putLong(d);
        for (int i = 0; i < KvLayout.BLOCK_SIZE; i++) {
            bytes.putInt(tokens[from + i]);
        }
        ByteBuffer hash = ByteBuffer.wrap(sha256().digest(bytes.array()));
        return new BlockHash(hash.getLong(), hash.getLong(), hash.getLong(), hash.getLong());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
