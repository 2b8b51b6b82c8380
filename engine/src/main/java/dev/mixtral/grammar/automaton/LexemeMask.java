package dev.mixtral.grammar.automaton;

import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import java.util.Arrays;

/// The tokens that stay inside one lexeme, and the places in the trie where the lexeme may end. Immutable.
///
/// @param trie the tree that `exits` refers to
/// @param exits nodes where the lexeme may end and longer tokens go on, in rising order
/// @param ids the tokens, if they are few; otherwise empty
/// @param words the tokens as bits, if they are many; otherwise empty
record LexemeMask(TokenTrie trie, int[] exits, int[] ids, long[] words) {
    private static final int FEW = 64;

    /// Adds the tokens to a set.
    void orInto(long[] set) {
        for (int id : ids) {
            set[id >>> 6] |= 1L << id;
        }
        for (int i = 0; i < words.length; i++) {
            set[i] |= words[i];
        }
    }

    /// Finds the tokens for lexemes. Shares its pool's confinement.
    static final class Finder {
        private final RegexPool pool;
        private final VocabularyIndex vocabulary;
        private final Regex plainCharacter;

        /// @param plainCharacter the expression for any character of a JSON string
        Finder(RegexPool pool, VocabularyIndex vocabulary, Regex plainCharacter) {
            this.pool = pool;
            this.vocabulary = vocabulary;
            this.plainCharacter = plainCharacter;
        }

        /// Returns the expression whose mask is also that of `lexeme`.
        Regex representative(Regex lexeme) {
            return pool.clamp(lexeme, vocabulary.maxBytes());
        }

        LexemeMask find(Regex lexeme) {
            long[] words = new long[vocabulary.numWords()];
            int plain = plainCharacters(lexeme);
            TokenTrie trie = plain < 0 ? vocabulary.all() : vocabulary.unsafe();
            if (plain >= 0) {
                long[] known = vocabulary.plainUpTo(plain);
                System.arraycopy(known, 0, words, 0, words.length);
            }
            int[] exits = walk(lexeme, trie, words);
            int size = Arrays.stream(words).mapToInt(Long::bitCount).sum();
            return size > FEW
                    ? new LexemeMask(trie, exits, new int[0], words)
                    : new LexemeMask(trie, exits, ids(words, size), new long[0]);
        }

        private static int[] ids(long[] words, int size) {
            int[] ids = new int[size];
            int n = 0;
            for (int i = 0; i < words.length; i++) {
                for (long rest = words[i]; rest != 0; rest &= rest - 1) {
                    ids[n++] = i * 64 + Long.numberOfTrailingZeros(rest);
                }
            }
            return ids;
        }

        private int[] walk(Regex lexeme, TokenTrie trie, long[] words) {
            Regex[] path = new Regex[vocabulary.maxBytes() + 1];
            path[0] = lexeme;
            int[] exits = new int[16];
            int numExits = 0;
            int node = 1;
            while (node < trie.size()) {
                int depth = trie.depth(node);
                Regex after = pool.step(path[depth - 1], trie.value(node));
                if (after.isNothing()) {
                    node = trie.end(node);
                    continue;
                }
                path[depth] = after;
                trie.mark(node, words);
                if (after.nullable() && trie.hasChildren(node)) {
                    if (numExits == exits.length) {
                        exits = Arrays.copyOf(exits, 2 * numExits);
                    }
                    exits[numExits++] = node;
                }
                node++;
            }
            return Arrays.copyOf(exits, numExits);
        }

        /// Returns n if exactly the plain tokens of up to n characters stay inside the lexeme; -1 if that is not
        /// known.
        private int plainCharacters(Regex lexeme) {
            int plain = -1;
            boolean excludes = false;
            for (Regex part : RegexPool.conjuncts(lexeme)) {
                Regex excluded = RegexPool.negated(part);
                if (excluded != null) {
                    // Infinitely many texts without finitely many: every beginning still goes on.
                    excludes = true;
                    if (!RegexPool.isSurelyFinite(excluded)) {
                        return -1;
                    }
                    continue;
                }
                int repeats = RegexPool.leadingRepeats(part, plainCharacter);
                if (repeats < 0 || plain >= 0 || beginsPlain(RegexPool.behindRepeats(part))) {
                    return -1;
                }
                plain = repeats;
            }
            return excludes && plain != Integer.MAX_VALUE ? -1 : plain;
        }

        private boolean beginsPlain(Regex rest) {
            for (int value = 0x20; value < 256; value++) {
                if (value != '"' && value != '\\' && !pool.step(rest, value).isNothing()) {
                    return true;
                }
            }
            return false;
        }
    }
}
