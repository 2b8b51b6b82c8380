package dev.mixtral.grammar;

import dev.mixtral.sampling.TokenMask;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Feeds texts to matchers, and walks through grammars.
final class Texts {
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

    /// Chooses uniformly from the masks until the text ends; beyond `numTokens`, ends as soon as it can.
    ///
    /// @throws AssertionError at a dead end
    static String walk(CompiledGrammar grammar, Tokenizer tokenizer, Random random, int numTokens) {
        GrammarMatcher matcher = grammar.matcher();
        List<Integer> ids = new ArrayList<>();
        while (true) {
            TokenMask mask = matcher.mask();
            List<Integer> allowed = new ArrayList<>();
            mask.forEach(allowed::add);
            if (allowed.isEmpty()) {
                throw new AssertionError("dead end behind " + decode(tokenizer, ids));
            }
            boolean late = ids.size() > numTokens;
            int next = late && matcher.isComplete()
                    ? tokenizer.eosId()
                    : late ? closing(tokenizer, allowed, random) : allowed.get(random.nextInt(allowed.size()));
            if (!matcher.accept(next)) {
                throw new AssertionError("the mask allows " + tokenizer.piece(next) + ", accept does not, behind "
                        + decode(tokenizer, ids));
            }
            if (next == tokenizer.eosId()) {
                return decode(tokenizer, ids);
            }
            ids.add(next);
            if (ids.size() > 100 * numTokens + 10_000) {
                throw new AssertionError(
                        "no end in sight behind " + decode(tokenizer, ids).substring(0, 300));
            }
        }
    }

    /// Prefers tokens that close something.
    private static int closing(Tokenizer tokenizer, List<Integer> allowed, Random random) {
        for (String closer : List.of("\"", "}", "]")) {
            for (int id : allowed) {
                if (new String(tokenizer.bytes(id), java.nio.charset.StandardCharsets.UTF_8).equals(closer)
                        && random.nextInt(10) > 0) {
                    return id;
                }
            }
        }
        return allowed.get(random.nextInt(allowed.size()));
    }

    static String decode(Tokenizer tokenizer, List<Integer> ids) {
        return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray());
    }
}
