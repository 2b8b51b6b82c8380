package dev.mixtral.jinja;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Messages and tools as the dictionaries that templates expect, in the shape of Hugging Face's `transformers`.
final class MessageValues {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private MessageValues() {}

    static Map<String, Object> of(Message message) {
        Map<String, Object> values = new LinkedHashMap<>();
        switch (message) {
            case SystemMessage(String content) -> put(values, "system", content);
            case UserMessage(String content) -> put(values, "user", content);
            case AssistantMessage answer -> {
                put(values, "assistant", answer.content());
                if (!answer.toolCalls().isEmpty()) {
                    values.put(
                            "tool_calls",
                            answer.toolCalls().stream().map(MessageValues::of).toList());
                }
            }
            case ToolMessage result -> {
                put(values, "tool", result.content());
                putIfPresent(values, "tool_call_id", result.toolCallId());
                putIfPresent(values, "name", result.name());
            }
        }
        return values;
    }

    static Map<String, Object> of(ToolDefinition tool) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", tool.name());
        function.put("description", tool.description());
        putIfPresent(function, "parameters", value(tool.parameters()));
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("type", "function");
        values.put("function", function);
        return values;
    }

    private static Map<String, Object> of(ToolCall call) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", call.name());
        function.put("arguments", arguments(call.arguments()));
        Map<String, Object> values = new LinkedHashMap<>();
        putIfPresent(values, "id", call.id());
        values.put("type", "function");
        values.put("function", function);
        return values;
    }

    /// Templates write arguments with `tojson`, so they get an object where the text is one.
    private static Object arguments(String text) {
        try {
            JsonNode node = MAPPER.readTree(text);
            Object value = node.isObject() ? value(node) : text;
            return value == null ? text : value;
        } catch (JacksonException e) {
            return text;
        }
    }

    private static @Nullable Object value(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> {
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                node.properties().forEach(entry -> map.put(entry.getKey(), value(entry.getValue())));
                yield map;
            }
            case ARRAY -> {
                List<@Nullable Object> list = new ArrayList<>();
                node.forEach(element -> list.add(value(element)));
                yield list;
            }
            case STRING -> node.stringValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER -> node.isIntegralNumber() ? integer(node) : (Object) node.doubleValue();
            case NULL, MISSING, BINARY, POJO -> null;
        };
    }

    private static Object integer(JsonNode node) {
        return node.canConvertToLong() ? (Object) node.longValue() : node.bigIntegerValue();
    }

    private static void put(Map<String, Object> values, String role, @Nullable String content) {
        values.put("role", role);
        putIfPresent(values, "content", content);
    }

    private static void putIfPresent(Map<String, Object> values, String key, @Nullable Object value) {
        if (value != null) {
            values.put(key, value);
        }
    }
}
