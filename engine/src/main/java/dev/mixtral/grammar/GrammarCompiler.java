package dev.mixtral.grammar;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    private final Map<Grammar, CompiledGrammar> kept = new LinkedHashMap<>(16, 0.75f, true);

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
        synchronized (kept) {
            CompiledGrammar found = kept.get(grammar);
            if (found != null && !found.isWorn()) {
                return found;
            }
        }
        CompiledGrammar compiled = compileAnew(grammar);
        if (size(grammar) <= MAX_KEPT_TEXT) {
            synchronized (kept) {
                kept.put(grammar, compiled);
                if (kept.size() > MAX_KEPT) {
                    kept.remove(kept.keySet().iterator().next());
                }
            }
        }
        return compiled;
    }

    private static int size(Grammar grammar) {
        return switch (grammar) {
            case Grammar.JsonSchema(var schema, var order) -> schema.toString().length();
            case Grammar.JsonObject() -> 0;
            case Grammar.Regex(String pattern) -> pattern.length();
            case Grammar.Choice(List<String> texts) ->
                texts.stream().mapToInt(String::length).sum();
            case Grammar.Gbnf(String text) -> text.length();
            case Grammar.Lark(String text) -> text.length();
        };
    }

    private CompiledGrammar compileAnew(Grammar grammar) {
        if (size(grammar) > MAX_TEXT) {
            throw new GrammarException(
                    Reason.TOO_LARGE,
                    "",
                    "",
                    "the grammar has " + size(grammar) + " characters, the limit is " + MAX_TEXT);
        }
        RegexPool pool = new RegexPool();
        pool.refuel(FUEL);
        TextForm json = TextForm.json(pool);
        SchemaCompiler.Result result = switch (grammar) {
            case Grammar.JsonSchema(var schema, var order) ->
                SchemaCompiler.compile(schema, order == Grammar.KeyOrder.ANY, pool, json);
            case Grammar.JsonObject() ->
                SchemaCompiler.compile(JsonNodeFactory.instance.objectNode().put("type", "object"), true, pool, json);
            case Grammar.Regex(String pattern) -> plain(SingleLexeme.pattern(pool, pattern));
            case Grammar.Choice(List<String> texts) -> plain(SingleLexeme.choice(pool, texts));
            case Grammar.Gbnf(String text) -> plain(RuleCompiler.compile(pool, GbnfParser.parse(text, pool), "root"));
            case Grammar.Lark(String text) -> plain(RuleCompiler.compile(pool, LarkParser.parse(text, pool), "start"));
        };
        return new CompiledGrammar(
                new Machine(pool, vocabulary, json.anyCharacter(), result.root()), result.warnings());
    }

    private static SchemaCompiler.Result plain(Rule root) {
        return new SchemaCompiler.Result(root, List.of());
    }
}
