package dev.mixtral.grammar;

import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

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
        List<Integer> ids = new ArrayList<>();
        while (ids.size() < numTokens + MAX_SEARCH) {
            List<Integer> allowed = new ArrayList<>();
            matcher.mask().forEach(allowed::add);
            if (allowed.isEmpty()) {
                throw new AssertionError("dead end behind " + decode(tokenizer, ids));
            }
            boolean ends = ids.size() > numTokens && matcher.isComplete();
            List<Integer> choices = ids.size() > numTokens ? ending(tokenizer, allowed, random) : allowed;
            int next = ends ? tokenizer.eosId() : choices.get(random.nextInt(choices.size()));
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

    private static List<Integer> ending(Tokenizer tokenizer, List<Integer> allowed, Random random) {
        List<Integer> characters = new ArrayList<>();
        for (int id : allowed) {
            byte[] bytes = tokenizer.bytes(id);
            boolean single = bytes.length == 1 && bytes[0] >= 0;
            if (single && "\"}]".indexOf(bytes[0]) >= 0 && random.nextInt(10) > 0) {
                return List.of(id);
            }
            if (single) {
                characters.add(id);
            }
        }
        return characters.isEmpty() ? allowed : characters;
    }

    static String decode(Tokenizer tokenizer, List<Integer> ids) {
        return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray());
    }
}
