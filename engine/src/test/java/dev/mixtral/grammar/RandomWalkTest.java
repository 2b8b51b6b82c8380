package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.Grammar.JsonSchema;
import dev.mixtral.grammar.Grammar.KeyOrder;
import dev.mixtral.testing.Seeds;
import dev.mixtral.testing.SharedData;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Whatever is chosen from the masks ends in a text that another validator finds valid.
class RandomWalkTest {
    /// The other validator must see the numbers as they are written: as a double, 31480196916136198757.7 is an integer.
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    /// More for a longer search: `-Dtests.walks=10`.
    private static final int WALKS = Integer.getInteger("tests.walks", 2);

    private static final int TOKENS = 40;

    @Test
    void walksThroughKeywordSchemasEndInValidTexts() {
        Tokenizer tokenizer = Vocabularies.tiny();
        GrammarCompiler compiler = new GrammarCompiler(tokenizer);
        Random random = Seeds.random("walks through keywords");
        SchemaKeywordsTest.cases().forEach(example -> {
            JsonNode schema = MAPPER.readTree(example.schema().replace('\'', '"'));
            for (KeyOrder order : KeyOrder.values()) {
                walk(compiler.compile(new JsonSchema(schema, order)), schema, tokenizer, random);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"date", "time", "date-time", "duration", "hostname", "ipv4", "ipv6", "uuid", "regex"})
    void walksThroughFormatsEndInValidTexts(String format) {
        Tokenizer tokenizer = Vocabularies.tiny();
        JsonNode schema = MAPPER.createObjectNode().put("type", "string").put("format", format);
        CompiledGrammar grammar = new GrammarCompiler(tokenizer).compile(new JsonSchema(schema));
        Random random = Seeds.random("walks through texts of " + format);
        for (int i = 0; i < 10; i++) {
            walk(grammar, schema, tokenizer, random);
        }
    }

    @Test
    void walksThroughSharedSchemasEndInValidTexts() {
        List<JsonNode> lines = SharedData.lines("schemas/schemas.jsonl");
        Tokenizer tokenizer = Tokenizers.open(SharedData.file("tokenizers/tokenizer.model.v1"));
        GrammarCompiler compiler = new GrammarCompiler(tokenizer);
        Random random = Seeds.random("walks through shared schemas");
        for (JsonNode line : lines) {
            CompiledGrammar grammar;
            try {
                grammar = compiler.compile(new JsonSchema(line.get("schema")));
            } catch (GrammarException e) {
                continue;
            }
            walk(grammar, line.get("schema"), tokenizer, random);
        }
    }

    private static void walk(CompiledGrammar grammar, JsonNode schema, Tokenizer tokenizer, Random random) {
        Schema validator = SchemaRegistry.withDefaultDialect(
                        // The newest draft has another keyword for tuples, and takes this one for a mistake.
                        schema.path("items").isArray()
                                ? SpecificationVersion.DRAFT_2019_09
                                : SpecificationVersion.DRAFT_2020_12,
                        builder -> builder.schemaRegistryConfig(SchemaRegistryConfig.builder()
                                .formatAssertionsEnabled(!hasFormatSeenNarrower(schema))
                                .build()))
                .getSchema(schema);
        for (int i = 0; i < WALKS; i++) {
            Texts.walk(grammar, tokenizer, random, TOKENS)
                    .ifPresent(text -> assertThat(validator.validate(MAPPER.readTree(text)))
                            .as("%s under %s", text, schema)
                            .isEmpty());
        }
    }

    /// The other validator also wants the top-level domain of an address to be one that it knows, which RFC 5321
    /// does not; no `#` in a JSON pointer, which RFC 6901 allows; and something behind the scheme of a URI, where
    /// RFC 3986 allows nothing.
    private static boolean hasFormatSeenNarrower(JsonNode schema) {
        return schema.findValuesAsString("format").stream()
                .anyMatch(Pattern.compile("email|json-pointer|[ui]ri").asPredicate());
    }

    @Test
    void masksAreThoseOfBruteForce() {
        Tokenizer tokenizer = Vocabularies.tiny();
        GrammarCompiler compiler = new GrammarCompiler(tokenizer);
        Random random = Seeds.random("masks and brute force");
        List<SchemaKeywordsTest.Case> cases = SchemaKeywordsTest.cases().toList();
        for (int i = 0; i < 150; i++) {
            String schema = cases.get(random.nextInt(cases.size())).schema().replace('\'', '"');
            CompiledGrammar grammar = compiler.compile(
                    new JsonSchema(MAPPER.readTree(schema), random.nextBoolean() ? KeyOrder.ANY : KeyOrder.SCHEMA));
            GrammarMatcher matcher = grammar.continuationMatcher();
            for (int step = 0; step < 12; step++) {
                assertThat(matcher.mask()).as("step %d of %s", step, schema).isEqualTo(matcher.bruteForceMask());
                int[] allowed = allowed(matcher);
                int next = allowed[random.nextInt(allowed.length)];
                assertThat(matcher.accept(next)).isTrue();
                if (next == tokenizer.eosId()) {
                    break;
                }
            }
        }
    }

    private static int[] allowed(GrammarMatcher matcher) {
        java.util.stream.IntStream.Builder ids = java.util.stream.IntStream.builder();
        matcher.mask().forEach(ids::add);
        return ids.build().toArray();
    }
}
