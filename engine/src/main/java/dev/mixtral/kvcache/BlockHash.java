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
    /// Stands before the first block of a sequence of the model itself.
    public static final BlockHash ROOT = new BlockHash(0, 0, 0, 0);

    /// Returns what stands before the first block of sequences whose keys and values depend on more than their tokens,
    /// such as an adapter.
    ///
    /// @param digest names what they depend on; nobody can find two things of one digest
    public static BlockHash root(byte[] digest) {
        return of(sha256().digest(digest));
    }

    private static BlockHash of(byte[] hash) {
        ByteBuffer words = ByteBuffer.wrap(hash);
        return new BlockHash(words.getLong(), words.getLong(), words.getLong(), words.getLong());
    }

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
        return of(sha256().digest(bytes.array()));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
