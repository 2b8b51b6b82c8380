package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.Grammar.JsonSchema;
import dev.mixtral.grammar.Grammar.KeyOrder;
import dev.mixtral.testing.Seeds;
import dev.mixtral.testing.SharedData;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Masks over the 32,000 pieces of Mixtral's vocabulary.
class SharedVocabularyTest {
    /// More for a longer search: `-Dtests.positions=1000`.
    private static final int POSITIONS = Integer.getInteger("tests.positions", 100);

    private static final int MAX_TOKENS = 60;

    @Test
    void masksAreThoseOfBruteForce() {
        List<JsonNode> lines = SharedData.lines("schemas/schemas.jsonl");
        Tokenizer tokenizer = Tokenizers.open(SharedData.file("tokenizers/tokenizer.model.v1"));
        GrammarCompiler compiler = new GrammarCompiler(tokenizer);
        Random random = Seeds.random("masks and brute force over Mixtral's vocabulary");
        int compared = 0;
        while (compared < POSITIONS) {
            JsonNode schema = lines.get(random.nextInt(lines.size())).get("schema");
            KeyOrder order = random.nextBoolean() ? KeyOrder.ANY : KeyOrder.SCHEMA;
            try {
                compared += compare(compiler.compile(new JsonSchema(schema, order)), tokenizer, random);
            } catch (GrammarException e) {
                assertThat(e.pointer()).as(e.getMessage()).startsWith("#"); // a schema that is refused
            }
        }
    }

    /// Walks some tokens far, and compares the masks at some places of the way.
    private static int compare(CompiledGrammar grammar, Tokenizer tokenizer, Random random) {
        GrammarMatcher matcher = grammar.continuationMatcher();
        int compared = 0;
        for (int i = random.nextInt(MAX_TOKENS); i >= 0; i--) {
            if (i % 8 == 0) {
                assertThat(matcher.mask()).isEqualTo(matcher.bruteForceMask());
                compared++;
            }
            int next = Texts.next(matcher, random);
            if (!matcher.accept(next)) {
                throw new AssertionError("the mask allows " + tokenizer.piece(next) + ", accept does not");
            }
            if (next == tokenizer.eosId()) {
                break;
            }
        }
        return compared;
    }
}
