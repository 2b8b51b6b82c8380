package dev.mixtral.server.wire;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.Dialect;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes the answers of chat completions, whole or as the chunks of a stream, in one client's dialect. Confined to
/// one thread.
public final class ChatWriter {
    private static final String CHUNK = "chat.completion.chunk";

    private final AnswerHead head;
    private final ChatRequest request;
    private final Tokenizer tokenizer;
    private final boolean isOpenRouter;

    /// @param head what every piece says about the whole
    /// @param request what is answered
    /// @param tokenizer spells tokens in log-probabilities
    public ChatWriter(AnswerHead head, ChatRequest request, Tokenizer tokenizer) {
        this.head = head;
        this.request = request;
        this.tokenizer = tokenizer;
        this.isOpenRouter = head.dialect() == Dialect.OPENROUTER;
    }

    /// Returns a whole answer.
    ///
    /// @param routing entries of `x_routing`, or `null` if they were not asked for
    public ObjectNode completion(List<ChoiceResult> results, UsageTotals usage, @Nullable ArrayNode routing) {
        ArrayNode choices = Json.array();
        for (int i = 0; i < results.size(); i++) {
            choices.add(choice(i, results.get(i)));
        }
        ObjectNode node = head.node("chat.completion");
        node.set("choices", choices);
        node.set("usage", usage.toJson(head.dialect(), request.extras().timing()));
        if (routing != null) {
            node.set("x_routing", routing);
        }
        return node;
    }

    private ObjectNode choice(int index, ChoiceResult result) {
        ObjectNode message = Json.object().put("role", "assistant");
        boolean hasCalls = !result.toolCalls().isEmpty();
        message.set(
                "content",
                hasCalls && result.text().isEmpty() ? Json.NODES.nullNode() : Json.NODES.stringNode(result.text()));
        message.set("refusal", Json.NODES.nullNode());
        if (hasCalls && request.tools().legacy()) {
            message.set("function_call", function(result.toolCalls().getFirst()));
        } else if (hasCalls) {
            ArrayNode calls = Json.array();
            result.toolCalls().forEach(call -> calls.add(wholeCall(call)));
            message.set("tool_calls", calls);
        }
        ObjectNode choice = Json.object().put("index", index);
        choice.set("message", message);
        choice.set("logprobs", logprobs(result.logprobs()));
        choice.put("finish_reason", result.finishReason());
        if (isOpenRouter) {
            choice.put("native_finish_reason", result.finishReason());
        }
        return choice;
    }

    /// Returns the chunk that opens a choice.
    public ObjectNode role(int choice) {
        return chunk(choice, Json.object().put("role", "assistant").put("content", ""), null, null);
    }

    /// Returns a chunk of text.
    public ObjectNode text(int choice, String text, List<TokenLogprob> logprobs) {
        JsonNode tokens = request.sampling().topLogprobs() == null ? null : logprobs(logprobs);
        return chunk(choice, Json.object().put("content", text), tokens, null);
    }

    /// Returns a chunk that says nothing.
    public ObjectNode nothing(int choice) {
        return chunk(choice, Json.object(), null, null);
    }

    /// Returns the chunks of a call: whole for Mistral's clients, name and arguments apart for the others.
    ///
    /// @param index the call's place among the choice's calls
    public List<ObjectNode> toolCall(int choice, int index, ToolCall call) {
        if (request.tools().legacy()) {
            return List.of(
                    chunk(
                            choice,
                            callDelta(Json.object().put("name", call.name()).put("arguments", "")),
                            null,
                            null),
                    chunk(choice, callDelta(Json.object().put("arguments", call.arguments())), null, null));
        }
        if (head.dialect() == Dialect.MISTRAL) {
            ObjectNode whole = wholeCall(call).put("index", index);
            return List.of(chunk(choice, callsDelta(whole), null, null));
        }
        ObjectNode first =
                Json.object().put("index", index).put("id", call.id()).put("type", "function");
        first.set("function", Json.object().put("name", call.name()).put("arguments", ""));
        ObjectNode rest = Json.object().put("index", index);
        rest.set("function", Json.object().put("arguments", call.arguments()));
        List<ObjectNode> chunks = new ArrayList<>();
        chunks.add(chunk(choice, callsDelta(first), null, null));
        chunks.add(chunk(choice, callsDelta(rest), null, null));
        return chunks;
    }

    /// Returns the chunk that ends a choice.
    ///
    /// @param usage the whole answer's, if this is its last choice, else `null`
    public ObjectNode finish(int choice, String reason, @Nullable UsageTotals usage) {
        boolean isMistral = head.dialect() == Dialect.MISTRAL;
        ObjectNode delta = isMistral ? Json.object().put("content", "") : Json.object();
        ObjectNode chunk = chunk(choice, delta, null, reason);
        if (isMistral && usage != null) {
            chunk.set("usage", usage.toJson(head.dialect(), request.extras().timing()));
        }
        return chunk;
    }

    /// Returns the chunk with the usage alone, or `null` if this client must not get one.
    public @Nullable ObjectNode usage(UsageTotals usage) {
        boolean wanted = isOpenRouter
                || (head.dialect() == Dialect.OPENAI && request.stream().includeUsage());
        if (!wanted) {
            return null;
        }
        ObjectNode chunk = head.node(CHUNK);
        chunk.set("choices", Json.array());
        chunk.set("usage", usage.toJson(head.dialect(), request.extras().timing()));
        return chunk;
    }

    /// Returns a chunk with routing entries.
    public ObjectNode routing(int choice, ArrayNode entries) {
        ObjectNode chunk = nothing(choice);
        chunk.set("x_routing", entries);
        return chunk;
    }

    /// Returns the event that ends a stream that failed.
    public ObjectNode error(ApiError error) {
        if (!isOpenRouter) {
            ObjectNode node = Json.object();
            node.set("error", ErrorWriter.inner(error, head.dialect()));
            return node;
        }
        ObjectNode chunk = chunk(0, Json.object().put("content", ""), null, "error");
        chunk.set("error", ErrorWriter.inner(error, head.dialect()));
        return chunk;
    }

    private ObjectNode chunk(int index, ObjectNode delta, @Nullable JsonNode logprobs, @Nullable String finishReason) {
        ObjectNode choice = Json.object().put("index", index);
        choice.set("delta", delta);
        choice.set("logprobs", logprobs == null ? Json.NODES.nullNode() : logprobs);
        JsonNode reason = finishReason == null ? Json.NODES.nullNode() : Json.NODES.stringNode(finishReason);
        choice.set("finish_reason", reason);
        if (isOpenRouter) {
            choice.set("native_finish_reason", reason);
        }
        ObjectNode chunk = head.node(CHUNK);
        chunk.set("choices", Json.array().add(choice));
        if (head.dialect() == Dialect.OPENAI && request.stream().includeUsage()) {
            chunk.set("usage", Json.NODES.nullNode());
        }
        return chunk;
    }

    private JsonNode logprobs(List<TokenLogprob> logprobs) {
        return request.sampling().topLogprobs() == null
                ? Json.NODES.nullNode()
                : LogprobsWriter.chat(tokenizer, logprobs);
    }

    private static ObjectNode callsDelta(ObjectNode call) {
        ObjectNode delta = Json.object();
        delta.set("tool_calls", Json.array().add(call));
        return delta;
    }

    private static ObjectNode callDelta(ObjectNode function) {
        ObjectNode delta = Json.object();
        delta.set("function_call", function);
        return delta;
    }

    private static ObjectNode wholeCall(ToolCall call) {
        ObjectNode node = Json.object().put("id", call.id()).put("type", "function");
        node.set("function", function(call));
        return node;
    }

    private static ObjectNode function(ToolCall call) {
        return Json.object().put("name", call.name()).put("arguments", call.arguments());
    }
}
