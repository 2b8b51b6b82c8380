package dev.mixtral.grammar;

import dev.mixtral.sampling.TokenMask;
import dev.mixtral.tokenizer.PieceType;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/// Feeds texts to matchers, and walks through grammars.
final class Texts {
    private static final int MAX_SEARCH = 3_000;

    private Texts() {}

    /// Returns whether the grammar takes the text token by token; holds masks against
    /// [GrammarMatcher#accept(int)].
    static boolean accepts(CompiledGrammar grammar, Tokenizer tokenizer, String text) {
        GrammarMatcher matcher = grammar.matcher();
        for (int id : tokenizer.encode(text)) {
            boolean allowed = matcher.mask().allows(id);
            if (matcher.accept(id) != allowed) {
                throw new AssertionError("mask and accept differ at " + tokenizer.piece(id) + " in " + text);
            }
            if (!allowed) {
                return false;
            }
        }
        if (matcher.mask().allows(tokenizer.eosId()) != matcher.isComplete()) {
            throw new AssertionError("mask and isComplete differ at the end of " + text);
        }
        return matcher.isComplete();
    }

    /// Chooses uniformly from the masks until the text ends. Beyond `numTokens` it looks for an end: closes what
    /// it can, and goes on with single characters, as a pattern may ask for some.
    ///
    /// @return the text, or empty if no end came within some thousand tokens
    /// @throws AssertionError at a dead end
    static Optional<String> walk(CompiledGrammar grammar, Tokenizer tokenizer, Random random, int numTokens) {
        GrammarMatcher matcher = grammar.matcher();
        int[] characters = characters(tokenizer);
        List<Integer> ids = new ArrayList<>();
        while (ids.size() < numTokens + MAX_SEARCH) {
            boolean isLong = ids.size() > numTokens;
            int next = isLong && matcher.isComplete()
                    ? tokenizer.eosId()
                    : isLong ? nextOfEnding(matcher, tokenizer, characters, random) : next(matcher, random);
            if (next < 0) {
                throw new AssertionError("dead end behind " + decode(tokenizer, ids));
            }
            if (!matcher.accept(next)) {
                throw new AssertionError("the mask allows " + tokenizer.piece(next) + ", accept does not, behind "
                        + decode(tokenizer, ids));
            }
            if (next == tokenizer.eosId()) {
                return Optional.of(decode(tokenizer, ids));
            }
            ids.add(next);
        }
        return Optional.empty();
    }

    /// Chooses one of the tokens that the mask allows; -1 if there is none.
    static int next(GrammarMatcher matcher, Random random) {
        long[] words = matcher.mask().words();
        int size = Arrays.stream(words).mapToInt(Long::bitCount).sum();
        int left = size == 0 ? 0 : random.nextInt(size);
        for (int i = 0; i < words.length; i++) {
            int count = Long.bitCount(words[i]);
            if (left < count) {
                long rest = words[i];
                for (int j = 0; j < left; j++) {
                    rest &= rest - 1;
                }
                return i * 64 + Long.numberOfTrailingZeros(rest);
            }
            left -= count;
        }
        return -1;
    }

    /// Returns the tokens of a single character.
    private static int[] characters(Tokenizer tokenizer) {
        return IntStream.range(0, tokenizer.vocabSize())
                .filter(id -> tokenizer.type(id) != PieceType.CONTROL && tokenizer.type(id) != PieceType.UNKNOWN)
                .filter(id -> tokenizer.bytes(id).length == 1 && tokenizer.bytes(id)[0] >= 0)
                .toArray();
    }

    private static int nextOfEnding(GrammarMatcher matcher, Tokenizer tokenizer, int[] characters, Random random) {
        TokenMask mask = matcher.mask();
        int[] allowed = Arrays.stream(characters).filter(mask::allows).toArray();
        for (int id : allowed) {
            if ("\"}]".indexOf(tokenizer.bytes(id)[0]) >= 0 && random.nextInt(10) > 0) {
                return id;
            }
        }
        return allowed.length == 0 ? next(matcher, random) : allowed[random.nextInt(allowed.length)];
    }

    static String decode(Tokenizer tokenizer, List<Integer> ids) {
        return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray());
    }
}
