package dev.mixtral.server.wire;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads the body of `/v1/responses` by saying the same as a chat completion.
///
/// Stateless: what refers to earlier responses is refused. Tools that run on OpenAI's machines are left out, as
/// coding agents offer them beside their own functions.
public final class ResponsesRequestReader {
    /// What a chat completion calls the fields, and what their senders call them.
    private static final Map<String, String> NAMES = Map.of(
            "messages", "input",
            "max_completion_tokens", "max_output_tokens",
            "response_format", "text.format");

    private static final List<String> SAME = List.of(
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "typical_p",
            "seed",
            "stop",
            "frequency_penalty",
            "presence_penalty",
            "repetition_penalty",
            "logit_bias",
            "stream",
            "parallel_tool_calls",
            "safe_prompt",
            "x_timing");
    private static final List<String> STATEFUL = List.of("previous_response_id", "conversation", "prompt");

    private ResponsesRequestReader() {}

    /// Reads a request.
    ///
    /// @param body the request
    /// @param rules what it is checked against
    /// @throws ApiException naming what is wrong and where
    public static ChatRequest read(ObjectNode body, RequestRules rules) {
        Fields request = new Fields(body, "");
        for (String name : STATEFUL) {
            if (request.has(name)) {
                throw ApiException.invalid(
                        name,
                        "unsupported_parameter",
                        "Unsupported parameter: '" + name + "'. This server keeps no responses: send the whole"
                                + " conversation as 'input'.");
            }
        }
        if (request.bool("background", false)) {
            throw ApiException.invalid(
                    "background", "unsupported_parameter", "Unsupported parameter: 'background'. Leave it out.");
        }
        ObjectNode chat = Json.object();
        SAME.forEach(name -> copy(request, name, chat, name));
        copy(request, "max_output_tokens", chat, "max_completion_tokens");
        chat.set("messages", messages(request));
        tools(request, chat);
        format(request, chat);
        try {
            return ChatRequestReader.read(chat, rules);
        } catch (ApiException e) {
            throw inItsOwnWords(e);
        }
    }

    /// Returns the same error with the fields' names in this form of request.
    public static ApiException inItsOwnWords(ApiException e) {
        return new ApiException(renamed(e.error()));
    }

    private static void copy(Fields from, String name, ObjectNode to, String newName) {
        JsonNode value = from.get(name);
        if (value != null) {
            to.set(newName, value);
        }
    }

    private static ApiError renamed(ApiError error) {
        String param = error.param();
        if (param == null) {
            return error;
        }
        for (Map.Entry<String, String> name : NAMES.entrySet()) {
            if (param.startsWith(name.getKey())) {
                return new ApiError(
                        error.status(),
                        error.type(),
                        error.code(),
                        name.getValue() + param.substring(name.getKey().length()),
                        error.message().replace("'" + name.getKey(), "'" + name.getValue()),
                        error.retryAfterSeconds());
            }
        }
        return error;
    }

    private static ArrayNode messages(Fields request) {
        ArrayNode messages = Json.array();
        String instructions = request.string("instructions");
        if (instructions != null) {
            messages.add(Json.object().put("role", "system").put("content", instructions));
        }
        JsonNode input = request.get("input");
        if (input == null) {
            throw Fields.missing("input");
        }
        if (input.isString()) {
            return messages.add(Json.object().put("role", "user").put("content", input.stringValue()));
        }
        if (!input.isArray()) {
            throw Fields.wrongType("input", "a string or an array of items", input);
        }
        if (input.isEmpty()) {
            throw Fields.empty("input");
        }
        for (int i = 0; i < input.size(); i++) {
            addItem(Fields.of(input.get(i), "input[" + i + "]"), messages);
        }
        return messages;
    }

    private static void addItem(Fields item, ArrayNode messages) {
        String type = item.string("type");
        switch (type == null ? "message" : type) {
            case "message" -> {
                ObjectNode message = Json.object().put("role", item.requiredString("role"));
                message.set("content", content(item, "content"));
                messages.add(message);
            }
            case "function_call" -> addCall(item, messages);
            case "function_call_output" -> {
                ObjectNode result =
                        Json.object().put("role", "tool").put("tool_call_id", item.requiredString("call_id"));
                result.set("content", content(item, "output"));
                messages.add(result);
            }
            // What a reasoning model thought before is no part of this model's conversation.
            case "reasoning" -> {}
            default ->
                throw Fields.badValue(
                        item.param("type"),
                        String.valueOf(type),
                        List.of("message", "function_call", "function_call_output", "reasoning"));
        }
    }

    /// Calls that follow each other belong to one message.
    private static void addCall(Fields item, ArrayNode messages) {
        ObjectNode function = Json.object().put("name", item.requiredString("name"));
        copy(item, "arguments", function, "arguments");
        ObjectNode call =
                Json.object().put("id", item.requiredString("call_id")).put("type", "function");
        call.set("function", function);
        if (!messages.isEmpty()
                && messages.get(messages.size() - 1) instanceof ObjectNode last
                && last.path("role").asString("").equals("assistant")) {
            JsonNode calls = last.get("tool_calls");
            last.set("tool_calls", (calls instanceof ArrayNode array ? array : Json.array()).add(call));
        } else {
            ObjectNode message = Json.object().put("role", "assistant");
            message.set("content", Json.NODES.nullNode());
            message.set("tool_calls", Json.array().add(call));
            messages.add(message);
        }
    }

    private static JsonNode content(Fields item, String name) {
        JsonNode content = item.get(name);
        if (content == null) {
            throw Fields.missing(item.param(name));
        }
        if (!content.isArray()) {
            return content;
        }
        ArrayNode parts = Json.array();
        for (int i = 0; i < content.size(); i++) {
            Fields part = Fields.of(content.get(i), item.param(name) + "[" + i + "]");
            ObjectNode copy = part.node().deepCopy();
            if (List.of("input_text", "output_text").contains(part.requiredString("type"))) {
                copy.put("type", "text");
            }
            parts.add(copy);
        }
        return parts;
    }

    private static void tools(Fields request, ObjectNode chat) {
        JsonNode array = request.array("tools");
        if (array != null) {
            ArrayNode tools = Json.array();
            for (int i = 0; i < array.size(); i++) {
                Fields tool = Fields.of(array.get(i), "tools[" + i + "]");
                if (tool.requiredString("type").equals("function")) {
                    ObjectNode wrapped = Json.object().put("type", "function");
                    wrapped.set("function", tool.has("function") ? tool.get("function") : tool.node());
                    tools.add(wrapped);
                }
            }
            chat.set("tools", tools);
        }
        JsonNode choice = request.get("tool_choice");
        boolean offersNothing = chat.path("tools").isEmpty();
        if (choice != null && !(offersNothing && isUnforced(choice))) {
            chat.set("tool_choice", toolChoice(choice));
        }
    }

    /// Chat completions have a subset of the tools one level lower.
    private static JsonNode toolChoice(JsonNode choice) {
        boolean isFlat = choice.path("type").asString("").equals("allowed_tools") && !choice.has("allowed_tools");
        if (!isFlat) {
            return choice;
        }
        ObjectNode nested = Json.object().put("type", "allowed_tools");
        nested.set("allowed_tools", choice);
        return nested;
    }

    private static boolean isUnforced(JsonNode choice) {
        return List.of("auto", "none").contains(choice.asString(""));
    }

    private static void format(Fields request, ObjectNode chat) {
        Fields text = request.object("text");
        Fields format = text == null ? null : text.object("format");
        if (format == null) {
            return;
        }
        ObjectNode response = format.node().deepCopy();
        if ("json_schema".equals(format.string("type"))) {
            ObjectNode inner = Json.object();
            for (String name : List.of("name", "schema", "strict", "description")) {
                copy(format, name, inner, name);
            }
            response = Json.object().put("type", "json_schema");
            response.set("json_schema", inner);
        }
        chat.set("response_format", response);
    }

    /// Returns a field of a request as it was sent, for answers that repeat it; JSON's null if it is absent.
    static JsonNode echoed(ObjectNode body, String name) {
        @Nullable JsonNode value = body.get(name);
        return value == null ? Json.NODES.nullNode() : value;
    }
}
