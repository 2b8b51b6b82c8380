package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.ToolCallStream;
import dev.mixtral.error.GrammarException;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.grammar.Grammar.Calls;
import dev.mixtral.grammar.Grammar.Function;
import dev.mixtral.testing.Seeds;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Calls of tools, with and without a trigger.
class CallGrammarTest {
    private static final Tokenizer TOKENIZER = Vocabularies.tiny();
    private static final GrammarCompiler COMPILER = new GrammarCompiler(TOKENIZER);
    private static final String TRIGGER = "[TOOL_CALLS]";

    private static Function function(String name, String schema) {
        return new Function(name, json(schema));
    }

    private static JsonNode json(String text) {
        return new JsonMapper().readTree(text.replace('\'', '"'));
    }

    private static final List<Function> FUNCTIONS = List.of(
            function("add", "{'type':'object','properties':{'a':{'type':'integer'}},'required':['a']}"),
            function(
                    "add_all",
                    "{'type':'object','properties':{'of':{'$ref':'#/$defs/n'}},'required':['of'],"
                            + "'additionalProperties':false,'$defs':{'n':{'type':'array','items':{'type':'integer'}}}}"),
            function("now", "{'type':'object','properties':{}}"));

    private static void check(Grammar grammar, List<String> good, List<String> bad) {
        CompiledGrammar compiled = COMPILER.compile(grammar);
        good.forEach(text -> assertThat(Texts.accepts(compiled, TOKENIZER, text.replace('\'', '"')))
                .as(text)
                .isTrue());
        bad.forEach(text -> assertThat(Texts.accepts(compiled, TOKENIZER, text.replace('\'', '"')))
                .as(text)
                .isFalse());
    }

    @Test
    void callsHaveTheirFunctionsArguments() {
        check(
                new Calls(FUNCTIONS, 2, ""),
                List.of(
                        "[{'name': 'add', 'arguments': {'a': 1}}]",
                        "[{'name': 'add', 'arguments': {'a':1}, 'id': 'abcdefgh1'}]",
                        "[{'name': 'now', 'arguments': {}}]",
                        "[{'name': 'add_all', 'arguments': {'of': [1, 2]}}, {'name': 'now', 'arguments': {}}]"),
                List.of(
                        "[]",
                        "[{'name': 'add', 'arguments': {'a': 'x'}}]",
                        "[{'name': 'add', 'arguments': {}}]",
                        "[{'name': 'add_all', 'arguments': {'a': 1}}]",
                        "[{'name': 'now', 'arguments': {'x': 1}}]",
                        "[{'name': 'sub', 'arguments': {}}]",
                        "[{'name': 'now', 'arguments': {}, 'id': 'short'}]",
                        "[{'name': 'now', 'arguments': {}}, {'name': 'now', 'arguments': {}}, {'name': 'now',"
                                + " 'arguments': {}}]",
                        "{'name': 'now', 'arguments': {}}"));
    }

    @Test
    void argumentsAreObjectsWhateverTheSchemaAllows() {
        for (String schema : List.of(
                "true",
                "{}",
                "{'type':['object','null']}",
                "{'$ref':'#/definitions/x','definitions':{'x':{}},'$schema':'http://json-schema.org/draft-07/schema#'}")) {
            check(
                    new Calls(List.of(function("f", schema)), 1, ""),
                    List.of("[{'name': 'f', 'arguments': {'x': [1]}}]"),
                    List.of("[{'name': 'f', 'arguments': 1}]", "[{'name': 'f', 'arguments': null}]"));
        }
    }

    @Test
    void aTriggerIsPartOfTheText() {
        check(
                new Calls(FUNCTIONS, 1, TRIGGER),
                List.of(
                        TRIGGER + " [{'name': 'now', 'arguments': {}}]",
                        TRIGGER + "[{'name': 'now', 'arguments': {}}]"),
                List.of(
                        "[{'name': 'now', 'arguments': {}}]",
                        " " + TRIGGER + " [{'name': 'now', 'arguments': {}}]",
                        "x"));
    }

    @Test
    void freeTextMayRunIntoCalls() {
        check(
                new Grammar.TextOrCalls(null, new Calls(FUNCTIONS, 1, TRIGGER)),
                List.of(
                        "",
                        "Hello [TOOL",
                        "[[TOOL_CALLS",
                        "é✓\u0007 [TOOL_CALLS [TOOL_CALL]",
                        TRIGGER + " [{'name': 'now', 'arguments': {}}]",
                        "See. [[[TOOL_CALLS] [{'name': 'now', 'arguments': {}}]"),
                List.of(
                        TRIGGER,
                        "x " + TRIGGER + " y",
                        TRIGGER + " [{'name': 'now', 'arguments': {}}] and more",
                        TRIGGER + " [{'name': 'then', 'arguments': {}}]"));
    }

    @Test
    void freeTextMayExcludeTheTrigger() {
        check(
                new Grammar.AnyTextWithout(TRIGGER),
                List.of("", "Hello [TOOL", "[[TOOL_CALLS", "é✓\u0007 [TOOL_CALLS [TOOL_CALL]"),
                List.of(TRIGGER, "x " + TRIGGER, "[[[TOOL_CALLS] and more"));
    }

    @Test
    void boundTextOrCallsInItsPlace() {
        check(
                new Grammar.TextOrCalls(
                        new Grammar.JsonSchema(json("{'enum':['yes',1]}")), new Calls(FUNCTIONS, 1, TRIGGER)),
                List.of("'yes'", "1", TRIGGER + " [{'name': 'now', 'arguments': {}}]"),
                List.of("", "no", "1 " + TRIGGER + " [{'name': 'now', 'arguments': {}}]"));
    }

    @Test
    void walksEndInCallsThatCanBeRead() {
        Random random = Seeds.random("walks through calls");
        CompiledGrammar grammar = COMPILER.compile(new Calls(FUNCTIONS, 3, ""));
        for (int i = 0; i < 50; i++) {
            Texts.walk(grammar, TOKENIZER, random, 60).ifPresent(text -> {
                ToolCallStream stream = new ToolCallStream();
                stream.append(text);
                assertThat(stream.isComplete()).as(text).isTrue();
                stream.calls()
                        .forEach(call -> assertThat(new JsonMapper()
                                        .readTree(call.arguments())
                                        .isObject())
                                .isTrue());
            });
        }
    }

    @Test
    void masksAreThoseOfBruteForce() {
        Random random = Seeds.random("masks of calls");
        Grammar grammar = new Grammar.TextOrCalls(null, new Calls(FUNCTIONS, 2, TRIGGER));
        for (int i = 0; i < 20; i++) {
            GrammarMatcher matcher = COMPILER.compile(grammar).continuationMatcher();
            String text = "a [[TOOL_CALLS] [{\"name\": \"add\", \"arguments\": {\"a\": 1}}]";
            for (int id : TOKENIZER.encodeContinuation(text.substring(0, random.nextInt(text.length())))) {
                assertThat(matcher.mask()).isEqualTo(matcher.bruteForceMask());
                assertThat(matcher.accept(id)).isTrue();
            }
        }
    }

    @Test
    void faultsNameTheFunction() {
        assertThatThrownBy(() -> COMPILER.compile(new Calls(
                        List.of(FUNCTIONS.getFirst(), function("f", "{'properties':{'a':{'pattern':'(?<=x)y'}}}")),
                        1,
                        "")))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("function 'f' #/properties/a: 'pattern'");
        assertThatThrownBy(() -> COMPILER.compile(new Calls(List.of(function("f", "{'type':'string'}")), 1, "")))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("the arguments of a function are an object");
        assertThatThrownBy(() -> function("a\"b", "{}")).isInstanceOf(InvalidRequestException.class);
    }

    @Test
    void schemasInAnotherOrderAreAnotherGrammar() {
        CompiledGrammar ab = COMPILER.compile(
                new Grammar.JsonSchema(json("{'type':'object','properties':{'a':{},'b':{}},'required':['a','b']}")));
        CompiledGrammar ba = COMPILER.compile(
                new Grammar.JsonSchema(json("{'type':'object','properties':{'b':{},'a':{}},'required':['a','b']}")));
        assertThat(Texts.accepts(ab, TOKENIZER, "{\"a\": 1, \"b\": 2}")).isTrue();
        assertThat(Texts.accepts(ba, TOKENIZER, "{\"b\": 1, \"a\": 2}")).isTrue();
        assertThat(Texts.accepts(ba, TOKENIZER, "{\"a\": 1, \"b\": 2}")).isFalse();
    }

    @Test
    void aTextMayHaveBegunInThePrompt() {
        CompiledGrammar grammar = COMPILER.compile(new Grammar.JsonSchema(
                json("{'type':'object','properties':{'a':{'enum':[' x','y']}},'required':['a']}")));
        GrammarMatcher matcher = grammar.matcherBehind("{\"a\":");
        for (int id : TOKENIZER.encodeContinuation(" \"y\"}")) {
            assertThat(matcher.mask().allows(id)).isTrue();
            assertThat(matcher.accept(id)).isTrue();
        }
        assertThat(matcher.isComplete()).isTrue();
        // The space is not in the prompt, so the model may say it, and the decoder drops it.
        GrammarMatcher spaced = grammar.matcherBehind("{\"a\": ");
        for (int id : TOKENIZER.encodeContinuation(" \"y")) {
            assertThat(spaced.mask().allows(id)).isTrue();
            assertThat(spaced.accept(id)).isTrue();
        }
        assertThatThrownBy(() -> grammar.matcherBehind("Well,")).isInstanceOf(GrammarException.class);
    }
}
