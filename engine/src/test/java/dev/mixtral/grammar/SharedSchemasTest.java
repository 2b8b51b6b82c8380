package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.Grammar.JsonSchema;
import dev.mixtral.grammar.Grammar.KeyOrder;
import dev.mixtral.testing.SharedData;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.cfg.JsonNodeFeature;
import tools.jackson.databind.json.JsonMapper;

/// Real schemas with labelled instances, through the vocabulary of Mixtral.
class SharedSchemasTest {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    @Test
    void acceptsNothingInvalidAndRefusesLittle() throws IOException {
        Tokenizer tokenizer = Tokenizers.open(SharedData.file("tokenizers/tokenizer.model.v1"));
        GrammarCompiler compiler = new GrammarCompiler(tokenizer);
        List<String> wronglyAccepted = new ArrayList<>();
        int numPassed = 0;
        for (String line : Files.readAllLines(SharedData.file("schemas/schemas.jsonl"))) {
            JsonNode entry = MAPPER.readTree(line);
            try {
                CompiledGrammar grammar = compiler.compile(new JsonSchema(entry.get("schema"), KeyOrder.ANY));
                for (JsonNode instance : entry.get("invalid")) {
                    if (Texts.accepts(grammar, tokenizer, MAPPER.writeValueAsString(instance))) {
                        wronglyAccepted.add(entry.get("id") + " " + instance);
                    }
                }
                numPassed += entry.get("valid")
                                .valueStream()
                                .allMatch(instance ->
                                        Texts.accepts(grammar, tokenizer, MAPPER.writeValueAsString(instance)))
                        ? 1
                        : 0;
            } catch (GrammarException e) {
                assertThat(e.pointer()).as(e.getMessage()).startsWith("#");
                numPassed +=
                        e.reason() == Reason.UNSATISFIABLE && entry.get("valid").isEmpty() ? 1 : 0;
            }
        }
        assertThat(wronglyAccepted).isEmpty();
        assertThat(numPassed).isGreaterThanOrEqualTo(150);
    }
}
