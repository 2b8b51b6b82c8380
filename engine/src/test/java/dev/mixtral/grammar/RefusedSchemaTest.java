package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What cannot be enforced ends in a message that names the place, within bounded work.
class RefusedSchemaTest {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();
    private static final GrammarCompiler COMPILER = new GrammarCompiler(Vocabularies.tiny());

    private static GrammarException refused(String schema) {
        GrammarException failure = catchThrowableOfType(
                GrammarException.class, () -> COMPILER.compile(new Grammar.JsonSchema(MAPPER.readTree(schema))));
        assertThat(failure).as(schema).isNotNull();
        return failure;
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "{'type':'strin'}|INVALID|#|type",
                "{'properties':{'a':{'pattern':'(?<=x)y'}}}|UNSUPPORTED|#/properties/a|pattern",
                "{'properties':{'a/b':{'pattern':'\\\\bx'}}}|UNSUPPORTED|#/properties/a~1b|pattern",
                "{'pattern':'(a'}|INVALID|#|pattern",
                "{'pattern':'(a)\\\\1'}|UNSUPPORTED|#|pattern",
                "{'$ref':'http://x.y/z'}|UNSUPPORTED|#|$ref",
                "{'$ref':'#/nowhere'}|INVALID|#|$ref",
                "{'$ref':'#'}|INVALID|#|$ref",
                "{'allOf':[{'$ref':'#/$defs/a'}],'$defs':{'a':{'$ref':'#'}}}|INVALID|#|$ref",
                "{'minLength':-1}|INVALID|#|minLength",
                "{'minLength':'3'}|INVALID|#|minLength",
                "{'required':'a'}|INVALID|#|required",
                "{'items':3}|INVALID|#|items",
                "{'multipleOf':0}|INVALID|#|multipleOf",
                "{'multipleOf':1234567}|UNSUPPORTED|#|multipleOf",
                "{'not':{'format':'regex'},'type':'string'}|UNSUPPORTED|#|not",
                "{'type':'object','not':{'propertyNames':{'format':'email'}}}|UNSUPPORTED|#|not",
                "{'not':{'uniqueItems':true}}|UNSUPPORTED|#|not",
                "{'properties':{'a':{'uniqueItems':true,'contains':{'const':1}}}}|UNSUPPORTED|#/properties/a|uniqueItems",
                "{'format':'idn-hostname'}|UNSUPPORTED|#|format",
                "{'minLength':200000}|TOO_LARGE|#|minLength",
                "{'maximum':1e999999999}|UNSUPPORTED|#|maximum",
                "{'const':1e-999999999}|UNSUPPORTED|#|const",
                "{'$schema':'http://json-schema.org/draft-03/schema#'}|UNSUPPORTED|#|$schema",
            })
    void namesPlaceAndKeyword(String schema, Reason reason, String pointer, String keyword) {
        GrammarException failure = refused(schema.replace('\'', '"'));
        assertThat(failure.reason()).isEqualTo(reason);
        assertThat(failure.keyword()).isEqualTo(keyword);
        assertThat(failure.pointer()).startsWith(pointer);
        assertThat(failure).hasMessageStartingWith(failure.pointer() + ": '" + keyword + "' ");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "false",
                "{'enum':[]}",
                "{'type':'integer','minimum':1.2,'maximum':1.8}",
                "{'type':'string','minLength':3,'maxLength':2}",
                "{'type':'object','required':['a'],'properties':{'a':false}}",
                "{'type':'object','required':['a'],'properties':{'a':{'$ref':'#'}}}",
                "{'type':'array','minItems':3,'uniqueItems':true,'items':{'enum':[1,2]}}",
                "{'type':'array','minItems':1,'items':false}",
                "{'type':'object','minProperties':2,'additionalProperties':false,'properties':{'a':{}}}",
                "{'type':'object','minProperties':2,'patternProperties':{'^a$':{}},'additionalProperties':false}",
                "{'type':'string','pattern':'^a','not':{'pattern':'^.'}}",
                "{'allOf':[{'const':1},{'const':2}]}",
            })
    void whatNothingSatisfiesIsRefused(String schema) {
        assertThat(refused(schema.replace('\'', '"')).reason()).isEqualTo(Reason.UNSATISFIABLE);
    }

    @Test
    void namesEveryFinding() {
        GrammarException failure = refused("{\"properties\":{\"a\":{\"pattern\":\"\\\\bx\"},\"b\":{\"type\":\"x\"}}}");
        assertThat(failure)
                .hasMessageContaining("#/properties/a: 'pattern'")
                .hasMessageContaining("#/properties/b: 'type'");
    }

    @Test
    void deepNestingIsRefused() {
        String schema = "{\"items\":".repeat(400) + "true" + "}".repeat(400);
        assertThat(refused(schema).reason()).isEqualTo(Reason.TOO_LARGE);
    }

    @Test
    void automataThatExplodeAreRefused() {
        // Both patterns mean the same, so finding out that nothing is left needs all of their 2^30 states.
        GrammarException failure = refused("{\"type\":\"string\",\"pattern\":\"^(a|b)*a(a|b){30}$\","
                + "\"not\":{\"pattern\":\"^(aa|b|a|ba)*a(a|b){30}$\"}}");
        assertThat(failure.reason()).isEqualTo(Reason.TOO_LARGE);
    }

    @Test
    void combinationsThatExplodeAreRefused() {
        ArrayNode all = MAPPER.createArrayNode();
        for (int i = 0; i < 20; i++) {
            ObjectNode choice = all.addObject();
            choice.putArray("anyOf").addObject().putArray("required").add("a" + i);
            ((ArrayNode) choice.get("anyOf")).addObject().putArray("required").add("b" + i);
        }
        GrammarException failure =
                refused(MAPPER.createObjectNode().set("allOf", all).toString());
        assertThat(failure.reason()).isEqualTo(Reason.TOO_LARGE);
    }

    @Test
    void largeCountsEndInAMessage() {
        GrammarException failure =
                refused("{\"type\":\"array\",\"contains\":{\"const\":1},\"minContains\":90000,\"maxContains\":95000}");
        assertThat(failure.reason()).isEqualTo(Reason.TOO_LARGE);
        assertThat(failure.pointer()).isEqualTo("#");
    }

    @Test
    void longPatternsEndInAMessage() {
        ObjectNode schema = MAPPER.createObjectNode().put("pattern", "^" + "a?b?".repeat(100_000) + "$");
        assertThat(refused(schema.toString()).reason()).isEqualTo(Reason.TOO_LARGE);
        schema.put("pattern", "(".repeat(5_000) + "a" + ")".repeat(5_000));
        assertThat(refused(schema.toString()).reason()).isEqualTo(Reason.TOO_LARGE);
    }

    @Test
    void hugeDocumentsEndInAMessage() {
        ObjectNode schema = MAPPER.createObjectNode();
        ObjectNode properties = schema.putObject("properties");
        for (int i = 0; i < 60_000; i++) {
            properties.putObject("property" + i).put("type", "string").put("maxLength", i);
        }
        assertThat(refused(schema.toString()).reason()).isEqualTo(Reason.TOO_LARGE);
    }

    @Test
    void longListsOfConstantsCompile() {
        for (String keyword : List.of("oneOf", "anyOf")) {
            ObjectNode schema = MAPPER.createObjectNode();
            ArrayNode branches = schema.putArray(keyword);
            for (int i = 0; i < 3_000; i++) {
                branches.addObject().put("const", "value number " + i * 7919).put("title", "title " + i);
                branches.addObject().put("const", i * 7919);
            }
            CompiledGrammar grammar = COMPILER.compile(new Grammar.JsonSchema(schema));
            assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "\"value number 7919\""))
                    .isTrue();
            assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "7919")).isTrue();
            assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "7920")).isFalse();
        }
    }

    /// Each branch asks for a key of its own, so each one has to keep off all the others.
    @Test
    void manyBranchesThatMayOverlapCompile() {
        ObjectNode schema = MAPPER.createObjectNode().put("type", "object");
        ArrayNode branches = schema.putArray("oneOf");
        for (int i = 0; i < 40; i++) {
            ObjectNode branch = branches.addObject();
            branch.putArray("required").add("key" + i);
            branch.putObject("properties").putObject("key" + i).put("type", "integer");
        }
        CompiledGrammar grammar = COMPILER.compile(new Grammar.JsonSchema(schema, Grammar.KeyOrder.ANY));
        assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "{\"key7\":1}")).isTrue();
        assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "{\"key7\":1,\"key8\":\"x\"}"))
                .isTrue();
        assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "{\"key7\":1,\"key8\":1}"))
                .isFalse();
    }

    /// None of the named keys meets what the negation asks for, whichever of them there are: 2^40 sets of keys.
    @Test
    void manyKeysInAnyOrderCompile() {
        ObjectNode schema = MAPPER.createObjectNode().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        for (int i = 0; i < 40; i++) {
            properties.putObject("key" + i).put("type", "integer");
        }
        schema.putObject("not").putObject("additionalProperties").put("type", "integer");
        CompiledGrammar grammar = COMPILER.compile(new Grammar.JsonSchema(schema, Grammar.KeyOrder.ANY));
        assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "{\"key7\":1,\"a\":true,\"key3\":2}"))
                .isTrue();
        assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "{\"key7\":1,\"a\":1,\"key3\":2}"))
                .isFalse();
    }

    @Test
    void hugeEnumsCompile() {
        ObjectNode schema = MAPPER.createObjectNode();
        ArrayNode values = schema.putArray("enum");
        for (int i = 0; i < 20_000; i++) {
            values.add("value number " + i * 7919);
        }
        CompiledGrammar grammar = COMPILER.compile(new Grammar.JsonSchema(schema));
        assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "\"value number 7919\""))
                .isTrue();
        assertThat(Texts.accepts(grammar, Vocabularies.tiny(), "\"value number 7920\""))
                .isFalse();
    }
}
