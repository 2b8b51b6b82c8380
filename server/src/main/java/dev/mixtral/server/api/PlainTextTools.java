package dev.mixtral.server.api;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.PythonJson;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.server.wire.Json;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Says in words what Mistral's first instruct format has no tokens for: tools, calls and results.
///
/// Mixtral 8x7B Instruct v0.1 was not trained on tools. It is told about them in the form that its successors were
/// trained on, with their control tokens spelled out, and follows that like any other instruction: often, not always.
final class PlainTextTools {
    /// What a call starts with.
    static final String TRIGGER = "[TOOL_CALLS]";

    private static final String INSTRUCTIONS =
            "You can call functions. To call some, answer with " + TRIGGER + " and a JSON array of the calls, and with"
                    + " nothing else:\n" + TRIGGER
                    + " [{\"name\": \"the function's name\", \"arguments\": {\"parameter\": \"value\"}}]\n"
                    + "Their results come with the next message, each between [TOOL_RESULTS] and [/TOOL_RESULTS]. Where no"
                    + " function helps, answer in words. These are the functions:\n";

    private PlainTextTools() {}

    /// Returns a conversation without tools that says the same.
    static List<Message> rewrite(List<Message> messages, List<ToolDefinition> tools) {
        List<Message> result = new ArrayList<>();
        for (Message message : messages) {
            result.add(
                    switch (message) {
                        case AssistantMessage answer when !answer.toolCalls().isEmpty() -> calls(answer);
                        case ToolMessage made -> result(made);
                        case AssistantMessage _, SystemMessage _, UserMessage _ -> message;
                    });
        }
        if (!tools.isEmpty()) {
            int numLeading = 0;
            while (numLeading < result.size() && result.get(numLeading) instanceof SystemMessage) {
                numLeading++;
            }
            result.add(numLeading, new SystemMessage(INSTRUCTIONS + offer(tools)));
        }
        return result;
    }

    private static String offer(List<ToolDefinition> tools) {
        ArrayNode array = Json.array();
        for (ToolDefinition tool : tools) {
            ObjectNode function = Json.object().put("name", tool.name()).put("description", tool.description());
            function.set("parameters", tool.parameters());
            ObjectNode entry = Json.object().put("type", "function");
            entry.set("function", function);
            array.add(entry);
        }
        return "[AVAILABLE_TOOLS] " + PythonJson.dumps(array) + " [/AVAILABLE_TOOLS]";
    }

    private static AssistantMessage calls(AssistantMessage answer) {
        ArrayNode array = Json.array();
        for (ToolCall call : answer.toolCalls()) {
            ObjectNode entry = Json.object().put("name", call.name());
            entry.set("arguments", valueOf(call.arguments()));
            array.add(putId(entry, "id", call.id()));
        }
        String text = answer.content() == null || answer.content().isEmpty() ? "" : answer.content() + "\n";
        return new AssistantMessage(text + TRIGGER + " " + PythonJson.dumps(array));
    }

    private static UserMessage result(ToolMessage made) {
        ObjectNode entry = Json.object();
        entry.set("content", valueOf(made.content()));
        putId(entry, "call_id", made.toolCallId());
        return new UserMessage("[TOOL_RESULTS] " + PythonJson.dumps(entry) + " [/TOOL_RESULTS]");
    }

    private static ObjectNode putId(ObjectNode entry, String name, @Nullable String id) {
        return id == null ? entry : entry.put(name, id);
    }

    /// Returns the value of a JSON text; other text is a string.
    private static JsonNode valueOf(String text) {
        return Json.parse(text).orElseGet(() -> Json.NODES.stringNode(text));
    }
}
