package dev.mixtral.train.data;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolMessage;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads the turns of ShareGPT: `from` and `value`, where `from` is human or user, gpt, assistant, chatgpt, bing or
/// bard, system, function_call (a JSON object or array in the value) and observation or tool (what a function gave).
final class ShareGpt {
    private static final JsonMapper JSON = new JsonMapper();

    private ShareGpt() {}

    static List<Message> messages(JsonNode turns) {
        List<Message> messages = new ArrayList<>();
        List<String> openCalls = new ArrayList<>();
        for (int i = 0; i < turns.size(); i++) {
            String place = "conversations[" + i + "]";
            JsonNode turn = turns.get(i);
            if (!turn.path("from").isString() || !turn.path("value").isString()) {
                throw ExampleJson.fault(place, place + " must have the strings 'from' and 'value'");
            }
            String value = turn.path("value").stringValue();
            String from = turn.path("from").stringValue();
            messages.add(
                    switch (from) {
                        case "human", "user" -> Message.user(value);
                        case "gpt", "assistant", "chatgpt", "bing", "bard" -> Message.assistant(value);
                        case "system" -> Message.system(value);
                        case "function_call" -> calls(value, place, openCalls);
                        case "observation", "tool" -> result(value, place, openCalls);
                        default ->
                            throw ExampleJson.fault(
                                    place,
                                    place + ".from is '" + from + "', expected human, gpt, system, function_call or"
                                            + " observation");
                    });
        }
        return messages;
    }

    /// Returns the array of tools, which ShareGPT keeps as a string of JSON.
    static JsonNode tools(JsonNode node) {
        if (!node.isString()) {
            return node;
        }
        JsonNode tools = node.stringValue().isBlank() ? JSON.createArrayNode() : parsed(node.stringValue(), "tools");
        if (tools.isArray() && !tools.isEmpty() && !tools.get(0).has("function")) {
            var wrapped = JSON.createArrayNode();
            tools.forEach(tool ->
                    wrapped.add(JSON.createObjectNode().put("type", "function").set("function", tool)));
            return wrapped;
        }
        return tools;
    }

    private static AssistantMessage calls(String value, String place, List<String> openCalls) {
        JsonNode json = parsed(value, place + ".value");
        List<ToolCall> calls = new ArrayList<>();
        for (JsonNode call : json.isArray() ? json : JSON.createArrayNode().add(json)) {
            if (!call.path("name").isString()) {
                throw ExampleJson.fault(place, place + ".value: a function call has a string 'name'");
            }
            String id = "call" + openCalls.size() + place;
            JsonNode arguments = call.path("arguments");
            calls.add(new ToolCall(
                    id,
                    call.path("name").stringValue(),
                    arguments.isMissingNode()
                            ? "{}"
                            : arguments.isString() ? arguments.stringValue() : arguments.toString()));
            openCalls.add(id);
        }
        return new AssistantMessage(null, calls, false);
    }

    private static ToolMessage result(String value, String place, List<String> openCalls) {
        if (openCalls.isEmpty()) {
            throw ExampleJson.fault(place, place + ": an observation without a function_call before it");
        }
        return new ToolMessage(value, openCalls.removeFirst(), null);
    }

    private static JsonNode parsed(String text, String place) {
        try {
            return JSON.readTree(text);
        } catch (JacksonException e) {
            throw ExampleJson.fault(place, place + ": no JSON: " + e.getOriginalMessage());
        }
    }
}
