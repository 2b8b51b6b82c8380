package dev.mixtral.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/// Reads the calls that a v3 model writes after `[TOOL_CALLS]`: `[{"name": …, "arguments": {…}, "id": …}]`.
public final class ToolCallParser {
    private ToolCallParser() {}

    /// Returns the calls of a text, or empty if it is no complete array of calls.
    ///
    /// @param text the model's text behind `[TOOL_CALLS]`, up to the end token
    /// @param ids gives an id of nine characters for a call that has none
    public static Optional<List<ToolCall>> parse(String text, Supplier<String> ids) {
        return PythonJsonReader.loads(text, "tool_calls").flatMap(array -> calls(array, ids));
    }

    private static Optional<List<ToolCall>> calls(JsonNode array, Supplier<String> ids) {
        if (!array.isArray() || array.isEmpty()) {
            return Optional.empty();
        }
        List<ToolCall> calls = new ArrayList<>();
        for (JsonNode node : array) {
            JsonNode arguments = node.path("arguments");
            if (!node.path("name").isString() || !(arguments.isObject() || arguments.isMissingNode())) {
                return Optional.empty();
            }
            String id = node.path("id").asString("");
            calls.add(new ToolCall(
                    id.isEmpty() ? ids.get() : id,
                    node.path("name").stringValue(),
                    arguments.isMissingNode() ? "{}" : PythonJson.dumps(arguments)));
        }
        return Optional.of(calls);
    }
}
