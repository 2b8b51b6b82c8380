package dev.mixtral.server.wire;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.Dialect;
import dev.mixtral.tokenizer.Tokenizer;
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

    private boolean tellsWholeCalls() {
        return head.dialect() == Dialect.MISTRAL && !request.tools().legacy();
    }

    /// Returns the chunk that begins a call: its name, and an id unless the form is the older one. `null` for
    /// Mistral's clients, which take whole calls only.
    ///
    /// @param index the call's place among the choice's calls
    public @Nullable ObjectNode callBegun(int choice, int index, ToolCall call) {
        if (tellsWholeCalls()) {
            return null;
        }
        ObjectNode function = Json.object().put("name", call.name()).put("arguments", "");
        if (request.tools().legacy()) {
            return chunk(choice, callDelta(function), null, null);
        }
        ObjectNode first =
                Json.object().put("index", index).put("id", call.id()).put("type", "function");
        first.set("function", function);
        return chunk(choice, callsDelta(first), null, null);
    }

    /// Returns a chunk of a call's arguments, or `null` for Mistral's clients.
    public @Nullable ObjectNode arguments(int choice, int index, String piece) {
        if (tellsWholeCalls()) {
            return null;
        }
        ObjectNode function = Json.object().put("arguments", piece);
        if (request.tools().legacy()) {
            return chunk(choice, callDelta(function), null, null);
        }
        ObjectNode rest = Json.object().put("index", index);
        rest.set("function", function);
        return chunk(choice, callsDelta(rest), null, null);
    }

    /// Returns the chunk of a whole call for Mistral's clients, and `null` for others.
    public @Nullable ObjectNode callEnded(int choice, int index, ToolCall call) {
        return tellsWholeCalls() ? chunk(choice, callsDelta(wholeCall(call).put("index", index)), null, null) : null;
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
