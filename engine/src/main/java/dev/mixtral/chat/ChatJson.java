package dev.mixtral.chat;

import dev.mixtral.error.InvalidRequestException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// Reads conversations in the JSON of the chat-completion APIs (OpenAI's, with Mistral's `prefix`).
///
/// Errors name the offending place as a path, `messages[2].content`. Unknown fields are ignored. Order is not checked
/// here: that is the template's part. Source: OpenAI API reference, "Create chat completion".
public final class ChatJson {
    private final String partSeparator;

    private ChatJson(String partSeparator) {
        this.partSeparator = partSeparator;
    }

    /// Returns a reader that joins the text parts of one message without a separator, as the APIs do.
    public static ChatJson forApi() {
        return new ChatJson("");
    }

    /// Returns a reader that puts an empty line between the text parts of one message, as mistral-common does.
    public static ChatJson likeMistralCommon() {
        return new ChatJson(TurnMerger.SEPARATOR);
    }

    /// What a request says.
    ///
    /// @param messages in the order given; may be empty
    /// @param tools the functions on offer; empty if there are none
    public record Request(List<Message> messages, List<ToolDefinition> tools) {
        public Request {
            messages = List.copyOf(messages);
            tools = List.copyOf(tools);
        }
    }

    /// Reads `messages` and `tools` of a request.
    ///
    /// @throws InvalidRequestException if they are not as they must be
    public Request read(JsonNode request) {
        require(request.isObject(), "messages", "the request is not a JSON object");
        return new Request(messages(request.path("messages")), tools(request.path("tools")));
    }

    /// Reads an array of messages.
    ///
    /// @throws InvalidRequestException if they are not as they must be
    public List<Message> messages(JsonNode array) {
        require(array.isArray(), "messages", "messages must be an array, got " + kind(array));
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            messages.add(message(array.get(i), "messages[" + i + "]"));
        }
        return messages;
    }

    /// Reads an array of tools; `null` or nothing at all is none.
    ///
    /// @throws InvalidRequestException if they are not as they must be
    public List<ToolDefinition> tools(JsonNode array) {
        if (isAbsent(array)) {
            return List.of();
        }
        require(array.isArray(), "tools", "tools must be an array, got " + kind(array));
        List<ToolDefinition> tools = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            tools.add(tool(array.get(i), "tools[" + i + "]"));
        }
        return tools;
    }

    private Message message(JsonNode node, String param) {
        require(node.isObject(), param, param + " must be an object, got " + kind(node));
        String role = string(node.path("role"), param + ".role");
        return switch (role) {
            case "system", "developer" -> new SystemMessage(content(node, param));
            case "user" -> new UserMessage(content(node, param));
            case "assistant" -> assistant(node, param);
            case "tool" ->
                new ToolMessage(
                        content(node, param),
                        optionalString(node.path("tool_call_id"), param + ".tool_call_id"),
                        optionalString(node.path("name"), param + ".name"));
            case "function" -> new ToolMessage(content(node, param), null, string(node.path("name"), param + ".name"));
            default ->
                throw new InvalidRequestException(
                        param + ".role",
                        param + ".role is '" + role + "', expected system, developer, user, assistant or tool");
        };
    }

    private AssistantMessage assistant(JsonNode node, String param) {
        List<ToolCall> calls = new ArrayList<>();
        JsonNode array = node.path("tool_calls");
        if (!isAbsent(array)) {
            String path = param + ".tool_calls";
            require(array.isArray(), path, path + " must be an array, got " + kind(array));
            for (int i = 0; i < array.size(); i++) {
                calls.add(toolCall(array.get(i), path + "[" + i + "]"));
            }
        }
        JsonNode legacyCall = node.path("function_call");
        if (!isAbsent(legacyCall)) {
            calls.add(call(null, legacyCall, param + ".function_call"));
        }
        JsonNode prefix = node.path("prefix");
        require(isAbsent(prefix) || prefix.isBoolean(), param + ".prefix", param + ".prefix must be a boolean");
        String content = isAbsent(node.path("content")) ? null : content(node, param);
        return new AssistantMessage(content, calls, prefix.asBoolean(false));
    }

    private static ToolCall toolCall(JsonNode node, String param) {
        require(node.isObject(), param, param + " must be an object, got " + kind(node));
        return call(optionalString(node.path("id"), param + ".id"), node.path("function"), param + ".function");
    }

    private static ToolCall call(@Nullable String id, JsonNode function, String param) {
        require(function.isObject(), param, param + " must be an object, got " + kind(function));
        String name = string(function.path("name"), param + ".name");
        JsonNode arguments = function.path("arguments");
        if (isAbsent(arguments)) {
            return new ToolCall(id, name, "{}");
        }
        require(
                arguments.isString() || arguments.isObject(),
                param + ".arguments",
                param + ".arguments must be a string of JSON or an object, got " + kind(arguments));
        return new ToolCall(id, name, arguments.isObject() ? PythonJson.dumps(arguments) : arguments.stringValue());
    }

    private static ToolDefinition tool(JsonNode node, String param) {
        require(node.isObject(), param, param + " must be an object, got " + kind(node));
        String type = node.path("type").asString("function");
        require(
                type.equals("function"),
                param + ".type",
                param + ".type is '" + type + "'; only tools of type 'function' are supported");
        JsonNode function = node.path("function");
        require(function.isObject(), param + ".function", param + ".function must be an object, got " + kind(function));
        String description = optionalString(function.path("description"), param + ".function.description");
        JsonNode parameters = function.path("parameters");
        require(
                isAbsent(parameters) || parameters.isObject(),
                param + ".function.parameters",
                param + ".function.parameters must be an object, got " + kind(parameters));
        return new ToolDefinition(
                string(function.path("name"), param + ".function.name"),
                description == null ? "" : description,
                isAbsent(parameters) ? JsonNodeFactory.instance.objectNode() : parameters);
    }

    private String content(JsonNode message, String param) {
        JsonNode content = message.path("content");
        String path = param + ".content";
        if (content.isString()) {
            return content.stringValue();
        }
        require(content.isArray(), path, path + " must be a string or an array of text parts, got " + kind(content));
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < content.size(); i++) {
            JsonNode part = content.get(i);
            String type = part.path("type").asString("text");
            require(
                    type.equals("text") && part.path("text").isString(),
                    path,
                    path + "[" + i + "] is a part of type '" + type + "'; only text parts are supported");
            texts.add(part.path("text").stringValue());
        }
        texts.removeIf(String::isEmpty);
        return String.join(partSeparator, texts);
    }

    private static String string(JsonNode node, String param) {
        require(node.isString(), param, param + " must be a string, got " + kind(node));
        return node.stringValue();
    }

    private static @Nullable String optionalString(JsonNode node, String param) {
        return isAbsent(node) ? null : string(node, param);
    }

    private static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case MISSING -> "nothing";
            case NULL -> "null";
            case OBJECT -> "an object";
            case ARRAY -> "an array";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            case BINARY, POJO -> "a " + node.getNodeType();
        };
    }

    private static void require(boolean condition, String param, String message) {
        if (!condition) {
            throw new InvalidRequestException(param, message);
        }
    }
}
