package dev.mixtral.grammar;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.Grammar.KeyOrder;
import dev.mixtral.grammar.automaton.Machine;
import dev.mixtral.grammar.automaton.Rule;
import dev.mixtral.grammar.automaton.VocabularyIndex;
import dev.mixtral.grammar.ebnf.GbnfParser;
import dev.mixtral.grammar.ebnf.LarkParser;
import dev.mixtral.grammar.ebnf.RuleCompiler;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.SchemaCompiler;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// Compiles grammars for one vocabulary and keeps the ones used last. Thread-safe.
public final class GrammarCompiler {
    /// Longest grammar text, in characters.
    public static final int MAX_TEXT = 4 << 20;

    private static final int MAX_KEPT = 64;
    private static final int MAX_KEPT_TEXT = 1 << 20;
    /// Expressions that compiling one grammar may make.
    private static final int FUEL = 600_000;

    private final VocabularyIndex vocabulary;
    private final Map<List<String>, CompiledGrammar> kept = new LinkedHashMap<>(16, 0.75f, true);

    /// Arranges a tokenizer's vocabulary, which takes some milliseconds: keep the compiler as long as the model.
    ///
    /// @throws dev.mixtral.error.UnsupportedModelException if some byte has no token
    public GrammarCompiler(Tokenizer tokenizer) {
        this.vocabulary = new VocabularyIndex(tokenizer);
    }

    /// Compiles a grammar, or returns the one that was compiled from an equal one before.
    ///
    /// @throws GrammarException if it is invalid, cannot be enforced exactly, allows no text, or is too large
    public CompiledGrammar compile(Grammar grammar) {
        List<String> key = key(grammar);
        CompiledGrammar found = find(key);
        if (found != null) {
            return found;
        }
        int size = key.stream().mapToInt(String::length).sum();
        if (size > MAX_TEXT) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "the grammar has " + size + " characters, the limit is " + MAX_TEXT);
        }
        CompiledGrammar compiled = compileAnew(grammar);
        if (size <= MAX_KEPT_TEXT) {
            synchronized (kept) {
                kept.put(key, compiled);
                if (kept.size() > MAX_KEPT) {
                    kept.remove(kept.keySet().iterator().next());
                }
            }
        }
        return compiled;
    }

    /// Returns what was compiled from an equal grammar before, if it is still there.
    public Optional<CompiledGrammar> find(Grammar grammar) {
        return Optional.ofNullable(find(key(grammar)));
    }

    private @Nullable CompiledGrammar find(List<String> key) {
        synchronized (kept) {
            CompiledGrammar found = kept.get(key);
            return found == null || found.isWorn() ? null : found;
        }
    }

    /// Returns what tells grammars apart. Nodes of schemas do not: to them the order of keys is the same, to
    /// answers it is not.
    private static List<String> key(Grammar grammar) {
        return switch (grammar) {
            case Grammar.JsonSchema(JsonNode schema, KeyOrder order) ->
                List.of("schema", order.name(), schema.toString());
            case Grammar.JsonObject() -> List.of("object");
            case Grammar.Regex(String pattern) -> List.of("regex", pattern);
            case Grammar.Choice(List<String> texts) ->
                Stream.concat(Stream.of("choice"), texts.stream()).toList();
            case Grammar.Gbnf(String text) -> List.of("gbnf", text);
            case Grammar.Lark(String text) -> List.of("lark", text);
            case Grammar.Calls calls -> {
                List<String> key = new ArrayList<>(List.of("calls", String.valueOf(calls.maxCalls()), calls.trigger()));
                for (Grammar.Function function : calls.functions()) {
                    key.add(function.name());
                    key.add(function.parameters().toString());
                }
                yield key;
            }
            case Grammar.AnyTextWithout(String excluded) -> List.of("without", excluded);
            case Grammar.TextOrCalls(Grammar text, Grammar.Calls calls) -> {
                List<String> key = new ArrayList<>(List.of("or"));
                key.addAll(key(calls));
                key.addAll(text == null ? List.of("text") : key(text));
                yield key;
            }
        };
    }

    private CompiledGrammar compileAnew(Grammar grammar) {
        RegexPool pool = new RegexPool();
        pool.refuel(FUEL);
        TextForm json = TextForm.json(pool);
        SchemaCompiler.Result result = result(grammar, pool, json);
        String trigger = switch (grammar) {
            case Grammar.Calls calls -> calls.trigger();
            case Grammar.TextOrCalls either -> either.calls().trigger();
            default -> "";
        };
        return new CompiledGrammar(
                new Machine(pool, vocabulary, json.anyCharacter(), result.root()), result.warnings(), trigger);
    }

    private static SchemaCompiler.Result result(Grammar grammar, RegexPool pool, TextForm json) {
        return switch (grammar) {
            case Grammar.JsonSchema(JsonNode schema, KeyOrder order) ->
                SchemaCompiler.compile(schema, order == KeyOrder.ANY, pool, json);
            case Grammar.JsonObject() ->
                SchemaCompiler.compile(JsonNodeFactory.instance.objectNode().put("type", "object"), true, pool, json);
            case Grammar.Regex(String pattern) -> plain(SingleLexeme.pattern(pool, pattern));
            case Grammar.Choice(List<String> texts) -> plain(SingleLexeme.choice(pool, texts));
            case Grammar.Gbnf(String text) -> plain(RuleCompiler.compile(pool, GbnfParser.parse(text, pool), "root"));
            case Grammar.Lark(String text) -> plain(RuleCompiler.compile(pool, LarkParser.parse(text, pool), "start"));
            case Grammar.Calls calls -> new CallRules(pool, json).calls(calls);
            case Grammar.AnyTextWithout(String excluded) -> plain(SingleLexeme.without(pool, excluded));
            case Grammar.TextOrCalls(Grammar text, Grammar.Calls calls) -> {
                SchemaCompiler.Result bound = text == null ? null : result(text, pool, json);
                yield new CallRules(pool, json).textOrCalls(bound, calls);
            }
        };
    }

    private static SchemaCompiler.Result plain(Rule root) {
        return new SchemaCompiler.Result(root, List.of());
    }
}
