package dev.mixtral.train.data;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.ChatJson;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.error.InvalidRequestException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// Reads one example from a JSON object, whichever format it is in.
///
/// | members | format |
/// |---|---|
/// | `messages`, `tools` | OpenAI's chat fine-tuning and mistral-finetune; an assistant's `"weight": 0` is not learned
/// |
/// | `conversations`, `system`, `tools` | ShareGPT: see [ShareGpt] |
/// | `instruction`, `input`, `output`, `system`, `history` | Alpaca |
/// | `prompt`, `completion` | pairs |
/// | `text` | plain text, as of mistral-finetune's pretraining |
final class ExampleJson {
    private static final String KNOWN = "expected 'messages' (OpenAI, mistral-finetune), 'conversations' (ShareGPT),"
            + " 'instruction' and 'output' (Alpaca), 'prompt' and 'completion', or 'text'";

    private final ChatJson chat = ChatJson.forApi();
    private final CallIds ids = new CallIds();

    /// Returns how many ids of tool calls were rewritten so far.
    int rewrittenIds() {
        return ids.rewritten();
    }

    /// Reads and checks an example.
    ///
    /// @throws InvalidRequestException if it is no example, with the place and the fault in its message
    DataExample read(Origin origin, JsonNode node) {
        if (!node.isObject()) {
            throw fault("", "expected a JSON object, got " + kind(node));
        }
        if (node.has("messages")) {
            return messages(origin, node);
        }
        if (node.has("conversations")) {
            return conversations(origin, node);
        }
        if (node.has("instruction")) {
            return alpaca(origin, node);
        }
        if (node.has("prompt") && node.has("completion")) {
            return pair(origin, node);
        }
        if (node.has("text")) {
            String text = text(node, "text");
            if (text.isBlank()) {
                throw fault("text", "text is empty");
            }
            return new DataExample.Text(origin, text);
        }
        throw fault("", KNOWN + "; found " + String.join(", ", node.propertyNames()));
    }

    private DataExample messages(Origin origin, JsonNode node) {
        ChatJson.Request request = chat.read(node);
        JsonNode array = node.path("messages");
        Set<Integer> muted = new HashSet<>();
        for (int i = 0; i < array.size(); i++) {
            JsonNode weight = array.get(i).path("weight");
            if (!weight.isMissingNode() && !weight.isNull()) {
                boolean isKnown = weight.isNumber() && (weight.doubleValue() == 0 || weight.doubleValue() == 1);
                if (!isKnown || !(request.messages().get(i) instanceof AssistantMessage)) {
                    throw fault(
                            "",
                            "messages[%d].weight: expected 0 or 1 on an assistant's message, got %s"
                                    .formatted(i, weight));
                }
                if (weight.doubleValue() == 0) {
                    muted.add(i);
                }
            }
        }
        return checked(origin, request.messages(), request.tools(), muted);
    }

    private DataExample conversations(Origin origin, JsonNode node) {
        JsonNode turns = node.path("conversations");
        if (!turns.isArray()) {
            throw fault("conversations", "conversations must be an array, got " + kind(turns));
        }
        List<Message> messages = new ArrayList<>();
        addSystem(messages, node);
        if (!turns.isEmpty() && turns.get(0).has("role")) {
            messages.addAll(chat.messages(turns));
        } else {
            messages.addAll(ShareGpt.messages(turns));
        }
        return checked(origin, messages, chat.tools(ShareGpt.tools(node.path("tools"))), Set.of());
    }

    private DataExample alpaca(Origin origin, JsonNode node) {
        List<Message> messages = new ArrayList<>();
        addSystem(messages, node);
        JsonNode history = node.path("history");
        if (!history.isMissingNode() && !history.isNull()) {
            addHistory(messages, history);
        }
        String instruction = text(node, "instruction");
        String input = optionalText(node, "input");
        messages.add(Message.user(input.isBlank() ? instruction : instruction + "\n\n" + input));
        messages.add(Message.assistant(text(node, "output")));
        return checked(origin, messages, List.of(), Set.of());
    }

    private static void addHistory(List<Message> messages, JsonNode history) {
        for (JsonNode pair : history) {
            if (!pair.isArray()
                    || pair.size() != 2
                    || !pair.get(0).isString()
                    || !pair.get(1).isString()) {
                throw fault("history", "history must be an array of pairs of strings, got " + history);
            }
            messages.add(Message.user(pair.get(0).stringValue()));
            messages.add(Message.assistant(pair.get(1).stringValue()));
        }
    }

    private DataExample pair(Origin origin, JsonNode node) {
        return checked(
                origin,
                List.of(Message.user(text(node, "prompt")), Message.assistant(text(node, "completion"))),
                List.of(),
                Set.of());
    }

    private DataExample checked(Origin origin, List<Message> messages, List<ToolDefinition> tools, Set<Integer> muted) {
        ConversationCheck.check(messages, tools, muted);
        return new DataExample.Chat(origin, ids.rewrite(messages), tools, muted);
    }

    private static void addSystem(List<Message> messages, JsonNode node) {
        String system = optionalText(node, "system");
        if (!system.isBlank()) {
            messages.add(Message.system(system));
        }
    }

    private static String text(JsonNode node, String member) {
        JsonNode value = node.path(member);
        if (!value.isString()) {
            throw fault(member, member + " must be a string, got " + kind(value));
        }
        return value.stringValue();
    }

    private static String optionalText(JsonNode node, String member) {
        JsonNode value = node.path(member);
        return value.isMissingNode() || value.isNull() ? "" : text(node, member);
    }

    static InvalidRequestException fault(String param, String what) {
        return new InvalidRequestException(param, what);
    }

    static String kind(JsonNode node) {
        return node.isMissingNode() ? "nothing" : node.toString().length() > 60 ? "something else" : node.toString();
    }
}
