package dev.mixtral.sampling;

import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntConsumer;

/// A set of token ids, one bit each: what a grammar allows next. Immutable and thread-safe.
public final class TokenMask {
    private final int vocabSize;
    private final long[] words;

    /// @param vocabSize ids are `0 .. vocabSize - 1`
    /// @param words bit `id & 63` of word `id >> 6`; retained, so the caller gives it up
    /// @throws IllegalArgumentException if the number of words does not fit the vocabulary
    public TokenMask(int vocabSize, long[] words) {
        if (words.length != (vocabSize + 63) >>> 6) {
            throw new IllegalArgumentException("a mask over " + vocabSize + " ids needs " + ((vocabSize + 63) >>> 6)
                    + " words, got " + words.length);
        }
        this.vocabSize = vocabSize;
        this.words = words;
    }

    /// Returns the set of some ids; those outside the vocabulary are left out.
    public static TokenMask of(int vocabSize, BitSet ids) {
        return new TokenMask(vocabSize, new long[(vocabSize + 63) >>> 6]).with(ids);
    }

    /// Returns whether the id is in the set; false for ids outside the vocabulary.
    public boolean allows(int id) {
        return id >= 0 && id < vocabSize && (words[id >>> 6] & 1L << id) != 0;
    }

    /// Returns the set with more ids in it; those outside the vocabulary are left out.
    public TokenMask with(BitSet more) {
        long[] united = words.clone();
        for (int id = more.nextSetBit(0); id >= 0 && id < vocabSize; id = more.nextSetBit(id + 1)) {
            united[id >>> 6] |= 1L << id;
        }
        return new TokenMask(vocabSize, united);
    }

    /// Returns how many ids the set has.
    public int size() {
        int size = 0;
        for (long word : words) {
            size += Long.bitCount(word);
        }
        return size;
    }

    /// Calls the action for every id in the set, in rising order.
    public void forEach(IntConsumer action) {
        for (int i = 0; i < words.length; i++) {
            for (long rest = words[i]; rest != 0; rest &= rest - 1) {
                action.accept(i * 64 + Long.numberOfTrailingZeros(rest));
            }
        }
    }

    /// Sets the logits of all ids outside the set to minus infinity.
    ///
    /// @param logits `[vocabSize]`, changed in place
    public void apply(float[] logits) {
        for (int i = 0; i < words.length; i++) {
            int from = i * 64;
            int to = Math.min(from + 64, Math.min(vocabSize, logits.length));
            if (words[i] == 0) {
                Arrays.fill(logits, Math.min(from, to), to, Float.NEGATIVE_INFINITY);
                continue;
            }
            for (long rest = ~words[i]; rest != 0; rest &= rest - 1) {
                int id = from + Long.numberOfTrailingZeros(rest);
                if (id < to) {
                    logits[id] = Float.NEGATIVE_INFINITY;
                }
            }
        }
        if (logits.length > vocabSize) {
            Arrays.fill(logits, vocabSize, logits.length, Float.NEGATIVE_INFINITY);
        }
    }

    /// Returns a copy of the bits: bit `id & 63` of word `id >> 6`.
    public long[] words() {
        return words.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenMask mask && vocabSize == mask.vocabSize && Arrays.equals(words, mask.words);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(words);
    }

    @Override
    public String toString() {
        return "TokenMask[" + size() + " of " + vocabSize + "]";
    }
}
