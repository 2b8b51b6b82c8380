package dev.mixtral.server.wire;

import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.Dialect;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes the answers of text completions, whole or as the pieces of a stream. Confined to one thread.
public final class TextWriter {
    private static final String OBJECT = "text_completion";

    private final AnswerHead head;
    private final CompletionRequest request;
    private final Tokenizer tokenizer;
    private final boolean showLogprobs;

    /// @param showLogprobs whether choices carry log-probabilities
    public TextWriter(AnswerHead head, CompletionRequest request, Tokenizer tokenizer, boolean showLogprobs) {
        this.head = head;
        this.request = request;
        this.tokenizer = tokenizer;
        this.showLogprobs = showLogprobs;
    }

    /// A finished choice, and what it says of its prompt.
    ///
    /// @param result what was generated
    /// @param prompt the echoed prompt, empty without `echo`
    /// @param promptLogprobs one per token of the echoed prompt, the first without meaning; empty without `echo`
    public record Choice(ChoiceResult result, String prompt, List<TokenLogprob> promptLogprobs) {}

    /// Returns a whole answer.
    public ObjectNode completion(List<Choice> choices, UsageTotals usage, @Nullable ArrayNode routing) {
        ArrayNode array = Json.array();
        for (int i = 0; i < choices.size(); i++) {
            array.add(choice(i, choices.get(i)));
        }
        ObjectNode node = head.node(OBJECT);
        node.set("choices", array);
        node.set("usage", usage.toJson(head.dialect(), request.extras().timing()));
        if (routing != null) {
            node.set("x_routing", routing);
        }
        return node;
    }

    private ObjectNode choice(int index, Choice choice) {
        List<TokenLogprob> logprobs = choice.promptLogprobs().isEmpty()
                ? choice.result().logprobs()
                : Stream.concat(choice.promptLogprobs().stream(), choice.result().logprobs().stream())
                        .toList();
        int offset = choice.promptLogprobs().isEmpty() ? choice.prompt().length() : 0;
        return node(
                index,
                choice.prompt() + choice.result().text(),
                showLogprobs
                        ? LogprobsWriter.text(
                                tokenizer,
                                logprobs,
                                offset,
                                !choice.promptLogprobs().isEmpty())
                        : null,
                choice.result().finishReason());
    }

    /// Returns a piece of text.
    ///
    /// @param offset characters of the choice's text before this piece
    public ObjectNode text(int choice, String text, List<TokenLogprob> logprobs, int offset) {
        return piece(node(
                choice, text, showLogprobs ? LogprobsWriter.text(tokenizer, logprobs, offset, false) : null, null));
    }

    /// Returns the piece that repeats the prompt.
    ///
    /// @param logprobs one per token of the prompt, the first without meaning; empty if they are not wanted
    public ObjectNode echo(int choice, String prompt, List<TokenLogprob> logprobs) {
        return piece(node(
                choice, prompt, logprobs.isEmpty() ? null : LogprobsWriter.text(tokenizer, logprobs, 0, true), null));
    }

    /// Returns a piece that says nothing.
    public ObjectNode nothing(int choice) {
        return piece(node(choice, "", null, null));
    }

    /// Returns the piece that ends a choice.
    ///
    /// @param usage the whole answer's, if this is its last choice, else `null`
    public ObjectNode finish(int choice, String reason, @Nullable UsageTotals usage) {
        ObjectNode piece = piece(node(choice, "", null, reason));
        if (head.dialect() == Dialect.MISTRAL && usage != null) {
            piece.set("usage", usage.toJson(head.dialect(), request.extras().timing()));
        }
        return piece;
    }

    /// Returns the piece with the usage alone, or `null` if this client must not get one.
    public @Nullable ObjectNode usage(UsageTotals usage) {
        boolean wanted = head.dialect() == Dialect.OPENROUTER
                || (head.dialect() == Dialect.OPENAI && request.stream().includeUsage());
        if (!wanted) {
            return null;
        }
        ObjectNode piece = head.node(OBJECT);
        piece.set("choices", Json.array());
        piece.set("usage", usage.toJson(head.dialect(), request.extras().timing()));
        return piece;
    }

    /// Returns a piece with routing entries.
    public ObjectNode routing(int choice, ArrayNode entries) {
        ObjectNode piece = piece(node(choice, "", null, null));
        piece.set("x_routing", entries);
        return piece;
    }

    /// Returns the event that ends a stream that failed.
    public ObjectNode error(ApiError error) {
        ObjectNode node = head.dialect() == Dialect.OPENROUTER ? piece(node(0, "", null, "error")) : Json.object();
        node.set("error", ErrorWriter.inner(error, head.dialect()));
        return node;
    }

    private ObjectNode node(int index, String text, @Nullable JsonNode logprobs, @Nullable String reason) {
        ObjectNode choice = Json.object().put("index", index).put("text", text);
        choice.set("logprobs", logprobs == null ? Json.NODES.nullNode() : logprobs);
        JsonNode finish = reason == null ? Json.NODES.nullNode() : Json.NODES.stringNode(reason);
        choice.set("finish_reason", finish);
        if (head.dialect() == Dialect.OPENROUTER) {
            choice.set("native_finish_reason", finish);
        }
        return choice;
    }

    private ObjectNode piece(ObjectNode choice) {
        ObjectNode piece = head.node(OBJECT);
        piece.set("choices", Json.array().add(choice));
        if (head.dialect() == Dialect.OPENAI && request.stream().includeUsage()) {
            piece.set("usage", Json.NODES.nullNode());
        }
        return piece;
    }
}
