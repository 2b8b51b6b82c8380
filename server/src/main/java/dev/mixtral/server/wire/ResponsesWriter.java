package dev.mixtral.server.wire;

import dev.mixtral.chat.ToolCall;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes the answers of `/v1/responses`: the response, its items, and the events of a stream, which are numbered.
/// Confined to one thread.
public final class ResponsesWriter {
    private final AnswerHead head;
    private final ObjectNode request;
    private int sequenceNumber;

    /// @param head id, time and model of the response
    /// @param request the body that is answered, parts of which an answer repeats
    public ResponsesWriter(AnswerHead head, ObjectNode request) {
        this.head = head;
        this.request = request;
    }

    /// Returns the response.
    ///
    /// @param status `in_progress`, `completed`, `incomplete` or `failed`
    /// @param output the items so far
    /// @param usage what it took, or `null` while it runs
    /// @param error why it failed, or `null`
    public ObjectNode response(String status, ArrayNode output, @Nullable UsageTotals usage, @Nullable ApiError error) {
        ObjectNode node = Json.object()
                .put("id", head.id())
                .put("object", "response")
                .put("created_at", head.created())
                .put("status", status);
        if (status.equals("completed")) {
            node.put("completed_at", System.currentTimeMillis() / 1000);
        } else {
            node.set("completed_at", Json.NODES.nullNode());
        }
        node.put("background", false);
        node.set("error", error == null ? Json.NODES.nullNode() : error(error));
        node.set(
                "incomplete_details",
                status.equals("incomplete") ? Json.object().put("reason", "max_output_tokens") : Json.NODES.nullNode());
        node.put("model", head.model());
        node.set("output", output);
        repeatRequest(node);
        node.put("system_fingerprint", head.fingerprint());
        node.set("usage", usage == null ? Json.NODES.nullNode() : usage(usage));
        return node;
    }

    private static ObjectNode error(ApiError error) {
        String code = error.status() == 429 ? "rate_limit_exceeded" : "server_error";
        return Json.object().put("code", code).put("message", error.message());
    }

    private void repeatRequest(ObjectNode node) {
        for (String name : List.of("instructions", "max_output_tokens", "metadata", "previous_response_id", "user")) {
            node.set(name, ResponsesRequestReader.echoed(request, name));
        }
        orDefault(node, "temperature", Json.NODES.numberNode(1));
        orDefault(node, "top_p", Json.NODES.numberNode(1));
        orDefault(node, "frequency_penalty", Json.NODES.numberNode(0));
        orDefault(node, "presence_penalty", Json.NODES.numberNode(0));
        orDefault(node, "parallel_tool_calls", Json.NODES.booleanNode(true));
        orDefault(node, "tool_choice", Json.NODES.stringNode("auto"));
        node.set("tools", tools());
        node.set("reasoning", nulls("effort", "summary"));
        node.put("store", false);
        ObjectNode text = Json.object();
        text.set("format", Json.object().put("type", "text"));
        orDefault(node, "text", text);
        node.put("truncation", "disabled");
    }

    private void orDefault(ObjectNode node, String name, JsonNode otherwise) {
        JsonNode value = ResponsesRequestReader.echoed(request, name);
        node.set(name, value.isNull() ? otherwise : value);
    }

    private ArrayNode tools() {
        ArrayNode tools = Json.array();
        for (JsonNode tool : request.path("tools")) {
            if (tool.path("type").asString("").equals("function")) {
                ObjectNode copy = Json.object().put("type", "function");
                for (String name : List.of("name", "description", "parameters", "strict")) {
                    JsonNode value = tool.get(name);
                    copy.set(name, value == null ? Json.NODES.nullNode() : value);
                }
                tools.add(copy);
            }
        }
        return tools;
    }

    private static ObjectNode usage(UsageTotals usage) {
        ObjectNode node = Json.object().put("input_tokens", usage.numPromptTokens());
        node.set("input_tokens_details", Json.object().put("cached_tokens", usage.numCachedTokens()));
        node.put("output_tokens", usage.numGeneratedTokens());
        node.set("output_tokens_details", Json.object().put("reasoning_tokens", 0));
        return node.put("total_tokens", usage.numPromptTokens() + usage.numGeneratedTokens());
    }

    private static ObjectNode nulls(String... names) {
        ObjectNode node = Json.object();
        for (String name : names) {
            node.set(name, Json.NODES.nullNode());
        }
        return node;
    }

    /// Returns a message item.
    ///
    /// @param text its text, or `null` for none yet
    public ObjectNode message(String itemId, String status, @Nullable String text) {
        ObjectNode item = Json.object()
                .put("id", itemId)
                .put("type", "message")
                .put("status", status)
                .put("role", "assistant");
        ArrayNode content = Json.array();
        if (text != null) {
            content.add(part(text));
        }
        item.set("content", content);
        return item;
    }

    /// Returns a text part.
    public ObjectNode part(String text) {
        ObjectNode part = Json.object().put("type", "output_text");
        part.set("annotations", Json.array());
        part.set("logprobs", Json.array());
        return part.put("text", text);
    }

    /// Returns a call item.
    ///
    /// @param arguments those that are known so far
    public ObjectNode call(String itemId, String status, ToolCall call, String arguments) {
        return Json.object()
                .put("id", itemId)
                .put("type", "function_call")
                .put("status", status)
                .put("arguments", arguments)
                .put("call_id", call.id())
                .put("name", call.name());
    }

    /// Starts the next event of a stream.
    public ObjectNode event(String type) {
        return Json.object().put("type", type).put("sequence_number", sequenceNumber++);
    }

    /// Returns an event about a part of an item.
    public ObjectNode itemEvent(String type, int outputIndex, String itemId) {
        return event(type).put("output_index", outputIndex).put("item_id", itemId);
    }
}
