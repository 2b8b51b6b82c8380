package dev.mixtral.server.wire;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.error.Excerpt;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Reads `messages`. The order of roles is free; only calls of tools and their results must match.
final class MessageReader {
    private static final List<String> ROLES = List.of("system", "developer", "user", "assistant", "tool", "function");

    private MessageReader() {}

    /// @throws ApiException naming what is wrong and where
    static List<Message> read(Fields request) {
        JsonNode array = request.array("messages");
        if (array == null) {
            throw Fields.missing("messages");
        }
        if (array.isEmpty()) {
            throw Fields.empty("messages");
        }
        List<Message> messages = new ArrayList<>(array.size());
        for (int i = 0; i < array.size(); i++) {
            messages.add(message(Fields.of(array.get(i), "messages[" + i + "]")));
        }
        checkPrefix(messages);
        ToolResultCheck.check(messages);
        return messages;
    }

    private static Message message(Fields message) {
        String role = message.requiredString("role");
        return switch (role) {
            case "system", "developer" -> new SystemMessage(requiredContent(message));
            case "user" -> new UserMessage(requiredContent(message));
            case "assistant" -> assistant(message);
            case "tool" ->
                new ToolMessage(
                        requiredContent(message), message.requiredString("tool_call_id"), message.string("name"));
            case "function" -> new ToolMessage(requiredContent(message), null, message.requiredString("name"));
            default -> throw Fields.badValue(message.param("role"), role, ROLES);
        };
    }

    private static AssistantMessage assistant(Fields message) {
        List<ToolCall> calls = new ArrayList<>();
        JsonNode array = message.array("tool_calls");
        if (array != null) {
            for (int i = 0; i < array.size(); i++) {
                Fields call = Fields.of(array.get(i), message.param("tool_calls[" + i + "]"));
                calls.add(call(call.string("id"), requiredObject(call, "function")));
            }
        }
        Fields legacyCall = message.object("function_call");
        if (legacyCall != null) {
            calls.add(call(null, legacyCall));
        }
        return new AssistantMessage(content(message), calls, message.bool("prefix", false));
    }

    private static ToolCall call(@Nullable String id, Fields function) {
        String name = function.requiredString("name");
        JsonNode arguments = function.get("arguments");
        if (arguments == null) {
            return new ToolCall(id, name, "{}");
        }
        if (arguments.isObject()) {
            return new ToolCall(id, name, Json.text(arguments));
        }
        if (!arguments.isString()) {
            throw Fields.wrongType(function.param("arguments"), "a string or an object", arguments);
        }
        return new ToolCall(id, name, arguments.stringValue());
    }

    private static Fields requiredObject(Fields parent, String name) {
        Fields object = parent.object(name);
        if (object == null) {
            throw Fields.missing(parent.param(name));
        }
        return object;
    }

    private static String requiredContent(Fields message) {
        String content = content(message);
        if (content == null) {
            throw Fields.missing(message.param("content"));
        }
        return content;
    }

    private static @Nullable String content(Fields message) {
        JsonNode content = message.get("content");
        if (content == null) {
            return null;
        }
        String param = message.param("content");
        if (content.isString()) {
            return content.stringValue();
        }
        if (!content.isArray()) {
            throw Fields.wrongType(param, "a string or an array of content parts", content);
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < content.size(); i++) {
            text.append(part(Fields.of(content.get(i), param + "[" + i + "]"), param));
        }
        return text.toString();
    }

    private static String part(Fields part, String param) {
        String type = part.string("type");
        if (type != null && !type.equals("text")) {
            throw ApiException.invalid(
                    param,
                    "unsupported_content_type",
                    "Invalid content type. This model takes content parts of type 'text' only, but got '"
                            + Excerpt.of(type) + "'.");
        }
        return part.requiredString("text");
    }

    private static void checkPrefix(List<Message> messages) {
        for (int i = 0; i < messages.size() - 1; i++) {
            if (messages.get(i) instanceof AssistantMessage answer && answer.prefix()) {
                throw ApiException.invalid(
                        "messages[" + i + "].prefix",
                        "invalid_value",
                        "Invalid 'messages[" + i + "].prefix': only the last message may be a prefix.");
            }
        }
    }
}
