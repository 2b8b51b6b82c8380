package dev.mixtral.grammar.automaton;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tokenizer.PieceType;
import dev.mixtral.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// A tokenizer's vocabulary, arranged for masks. Immutable and thread-safe; made once per tokenizer.
///
/// Left out are control tokens, the unknown piece, and byte pieces whose byte an ordinary piece spells: the
/// encoder never emits those, and a model that did would leave the texts it knows.
public final class VocabularyIndex {
    private final int vocabSize;
    private final int eosId;
    private final List<byte[]> bytes = new ArrayList<>();
    private final TokenTrie all;
    private final TokenTrie unsafe;
    /// By number of characters: the plain tokens with at most so many.
    private final long[][] plainUpTo;
    private final int maxBytes;
    private final long[] beginsWithSpace;

    /// @throws UnsupportedModelException if some byte has no token of its own, so that a mask could be a dead end
    public VocabularyIndex(Tokenizer tokenizer) {
        vocabSize = tokenizer.vocabSize();
        eosId = tokenizer.eosId();
        boolean[] single = new boolean[256];
        for (int id = 0; id < vocabSize; id++) {
            bytes.add(text(tokenizer, id));
            if (tokenizer.type(id) != PieceType.BYTE && bytes.get(id).length == 1) {
                single[bytes.get(id)[0] & 0xff] = true;
            }
        }
        for (int id = 0; id < vocabSize; id++) {
            if (tokenizer.type(id) == PieceType.BYTE) {
                if (single[bytes.get(id)[0] & 0xff]) {
                    bytes.set(id, new byte[0]);
                }
            }
        }
        requireEveryByte();
        int[] used = IntStream.range(0, vocabSize)
                .filter(id -> bytes.get(id).length > 0)
                .toArray();
        maxBytes = Arrays.stream(used).map(id -> bytes.get(id).length).max().orElse(1);
        all = new TokenTrie(bytes, used);
        int[] characters = IntStream.range(0, vocabSize)
                .map(id -> plainCharacters(bytes.get(id)))
                .toArray();
        unsafe = new TokenTrie(
                bytes, Arrays.stream(used).filter(id -> characters[id] < 0).toArray());
        plainUpTo = new long[maxBytes + 1][numWords()];
        beginsWithSpace = new long[numWords()];
        for (int id : used) {
            for (int n = Math.max(characters[id], 0); characters[id] >= 0 && n <= maxBytes; n++) {
                plainUpTo[n][id >>> 6] |= 1L << id;
            }
            if (bytes.get(id)[0] == ' ') {
                beginsWithSpace[id >>> 6] |= 1L << id;
            }
        }
    }

    private static byte[] text(Tokenizer tokenizer, int id) {
        PieceType type = tokenizer.type(id);
        return type == PieceType.CONTROL || type == PieceType.UNKNOWN ? new byte[0] : tokenizer.bytes(id);
    }

    private void requireEveryByte() {
        boolean[] seen = new boolean[256];
        for (byte[] text : bytes) {
            if (text.length == 1) {
                seen[text[0] & 0xff] = true;
            }
        }
        for (int value = 0; value < 256; value++) {
            if (!seen[value]) {
                throw new UnsupportedModelException(String.format(
                        "the vocabulary has no token for the byte 0x%02X, so a grammar could end where no token goes "
                                + "on; use a tokenizer with byte fallback.",
                        value));
            }
        }
    }

    /// Returns the number of characters of a token that can stand anywhere inside a JSON string as it is, or -1.
    private static int plainCharacters(byte[] text) {
        for (byte value : text) {
            if (value == '"' || value == '\\' || (value >= 0 && value < 0x20)) {
                return -1;
            }
        }
        try {
            String decoded = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(text))
                    .toString();
            return text.length == 0 ? -1 : decoded.codePointCount(0, decoded.length());
        } catch (CharacterCodingException e) {
            return -1;
        }
    }

    /// Returns the number of ids.
    public int vocabSize() {
        return vocabSize;
    }

    int numWords() {
        return (vocabSize + 63) >>> 6;
    }

    /// Returns the id that ends a text.
    public int eosId() {
        return eosId;
    }

    /// Returns the bytes of a token; empty for those that are left out.
    public byte[] bytes(int id) {
        return bytes.get(id);
    }

    /// Returns the tree of all tokens that are not left out.
    TokenTrie all() {
        return all;
    }

    /// Returns the tree of the tokens that are not plain: with a quote, a backslash, a control character, or half
    /// a character.
    TokenTrie unsafe() {
        return unsafe;
    }

    /// Returns the plain tokens of at most so many characters; not to be changed.
    long[] plainUpTo(int numCharacters) {
        return plainUpTo[Math.min(numCharacters, maxBytes)];
    }

    /// Returns the length of the longest token in bytes.
    int maxBytes() {
        return maxBytes;
    }

    /// Returns the tokens that begin with a space; not to be changed.
    long[] beginsWithSpace() {
        return beginsWithSpace;
    }
}
