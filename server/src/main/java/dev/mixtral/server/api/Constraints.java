package dev.mixtral.server.api;

import dev.mixtral.engine.OutputConstraint;
import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.CompiledGrammar;
import dev.mixtral.grammar.Grammar;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.OutputFormat;
import dev.mixtral.server.wire.ToolChoice;
import dev.mixtral.server.wire.ToolSettings;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Where the form that a request demands of its answer meets the model. Thread-safe.
final class Constraints {
    private static final String INVALID_SCHEMA = "invalid_json_schema";
    private static final String INVALID_GRAMMAR = "invalid_value";

    /// What a model may write that was told how to call in words, and not to.
    private static final Grammar NO_CALLS = new Grammar.AnyTextWithout(PlainTextTools.TRIGGER);

    private final Compilations compilations = new Compilations();

    /// What the text of an answer goes on with.
    ///
    /// @param text the beginning of the answer, in the prompt; empty if there is none
    /// @param comesBack whether the client gets it as a part of the answer, so that it must have the form, too
    record Begun(String text, boolean comesBack) {
        static final Begun NOTHING = new Begun("", false);
    }

    /// Returns what binds an answer, or `null` if nothing does.
    ///
    /// Where tools may be called, the form holds for an answer in words; where one must be, there is none.
    ///
    /// @throws ApiException naming the field whose schema or grammar cannot be enforced, the place in it and the
    ///     keyword
    @Nullable
    OutputConstraint of(ChatModel model, OutputFormat format, ToolSettings tools, Begun begun)
            throws InterruptedException {
        Grammar text = grammar(format);
        if (!tools.mayCall()) {
            boolean mayBeTempted = !tools.tools().isEmpty() && model.writesCallsAsText();
            if (text == null) {
                return mayBeTempted ? withoutCalls(compile(model, NO_CALLS, format, tools), begun) : null;
            }
            return text(compile(model, text, format, tools), begun);
        }
        boolean isForced = !(tools.choice() instanceof ToolChoice.Auto);
        if (model.writesCallsAsText()) {
            Grammar.Calls calls = calls(tools, PlainTextTools.TRIGGER);
            Grammar either = isForced ? calls : new Grammar.TextOrCalls(text, calls);
            CompiledGrammar compiled = compile(model, either, format, tools);
            return isForced || text == null ? new OutputConstraint.Text(compiled) : text(compiled, begun);
        }
        CompiledGrammar calls = compile(model, calls(tools, ""), format, tools);
        if (isForced) {
            return new OutputConstraint.Calls(calls);
        }
        return new OutputConstraint.TextOrCalls(
                text == null ? null : text(compile(model, text, format, tools), begun), calls);
    }

    private static @Nullable Grammar grammar(OutputFormat format) {
        return switch (format) {
            case OutputFormat.Text _ -> null;
            case OutputFormat.AnyObject _ -> new Grammar.JsonObject();
            case OutputFormat.Schema(String _, JsonNode schema) -> new Grammar.JsonSchema(schema);
            case OutputFormat.Choice(String _, List<String> texts) -> new Grammar.Choice(texts);
            case OutputFormat.Regex(String _, String pattern) -> new Grammar.Regex(pattern);
            case OutputFormat.Grammar(String _, String source) ->
                source.contains("::=") ? new Grammar.Gbnf(source) : new Grammar.Lark(source);
        };
    }

    private static Grammar.Calls calls(ToolSettings tools, String trigger) {
        List<Grammar.Function> functions = tools.tools().stream()
                .filter(tool -> !(tools.choice() instanceof ToolChoice.Named(String name))
                        || tool.name().equals(name))
                .map(tool -> new Grammar.Function(tool.name(), tool.parameters()))
                .toList();
        boolean isOne = tools.choice() instanceof ToolChoice.Named;
        return new Grammar.Calls(functions, isOne ? 1 : tools.maxCalls(), trigger);
    }

    private CompiledGrammar compile(ChatModel model, Grammar grammar, OutputFormat format, ToolSettings tools)
            throws InterruptedException {
        try {
            return compilations.compile(model.grammars(), grammar);
        } catch (GrammarException e) {
            throw new ApiException(error(e, format, tools));
        }
    }

    private static ApiError error(GrammarException e, OutputFormat format, ToolSettings tools) {
        String toolsParam = tools.legacy() ? "functions" : "tools";
        if (e.pointer().startsWith("function '")) {
            return ApiError.invalid(toolsParam, INVALID_SCHEMA, "Invalid schema for " + e.getMessage());
        }
        return switch (format) {
            case OutputFormat.Text _ ->
                ApiError.invalid(toolsParam, INVALID_SCHEMA, "Invalid '" + toolsParam + "': " + e.getMessage());
            case OutputFormat.AnyObject(String param) -> schemaError(param, e);
            case OutputFormat.Schema(String param, JsonNode _) -> schemaError(param, e);
            case OutputFormat.Choice(String param, List<String> _) -> grammarError(param, "choice", e);
            case OutputFormat.Regex(String param, String _) -> grammarError(param, "regular expression", e);
            case OutputFormat.Grammar(String param, String _) -> grammarError(param, "grammar", e);
        };
    }

    private static ApiError schemaError(String param, GrammarException e) {
        return ApiError.invalid(param, INVALID_SCHEMA, "Invalid schema in '" + param + "': " + e.getMessage());
    }

    private static ApiError grammarError(String param, String what, GrammarException e) {
        return ApiError.invalid(param, INVALID_GRAMMAR, "Invalid " + what + " in '" + param + "': " + e.getMessage());
    }

    /// A trigger in what the client itself has begun is the client's.
    private static OutputConstraint.Text withoutCalls(CompiledGrammar grammar, Begun begun) {
        return grammar.mayBeginWith(begun.text())
                ? new OutputConstraint.Text(grammar, begun.text())
                : new OutputConstraint.Text(grammar);
    }

    /// What the client does not get back may be an introduction, in any form; then the new text alone is bound.
    private static OutputConstraint.Text text(CompiledGrammar grammar, Begun begun) {
        if (grammar.mayBeginWith(begun.text())) {
            return new OutputConstraint.Text(grammar, begun.text());
        }
        if (begun.comesBack()) {
            throw ApiException.invalid(
                    "messages",
                    "invalid_value",
                    "Invalid 'messages': the last message is the beginning of the answer, but no answer of the form that"
                            + " is asked for begins so.");
        }
        return new OutputConstraint.Text(grammar);
    }
}
