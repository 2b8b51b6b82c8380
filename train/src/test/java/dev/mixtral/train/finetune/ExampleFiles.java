package dev.mixtral.train.finetune;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.train.corpus.CorpusGenerator;
import dev.mixtral.train.corpus.Example;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The files of `examples/fine-tuning`: a new task, and examples of what the embedded model shall not forget.
public final class ExampleFiles {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int NUM_TICKETS = 400;
    private static final int NUM_KEEP = 800;
    private static final int MAX_CHARACTERS = 600;

    static final Path FOLDER = Path.of(System.getProperty("mixtral.home", ".."), "examples", "fine-tuning");

    private ExampleFiles() {}

    /// Returns the tickets of the file.
    public static List<Tickets> tickets() {
        return Tickets.some(NUM_TICKETS, 1);
    }

    static String ticketsText() {
        return tickets().stream().map(Tickets::line).collect(Collectors.joining("\n", "", "\n"));
    }

    /// Examples of the corpus that the model was trained on, short ones.
    static String keepText() {
        return new CorpusGenerator(2027)
                .stream()
                        .filter(example -> !example.isText())
                        .map(ExampleFiles::line)
                        .filter(line -> line.length() <= MAX_CHARACTERS)
                        .limit(NUM_KEEP)
                        .collect(Collectors.joining("\n", "", "\n"));
    }

    private static String line(Example example) {
        ObjectNode json = JSON.createObjectNode();
        ArrayNode messages = json.putArray("messages");
        example.messages().forEach(message -> add(messages.addObject(), message));
        if (!example.tools().isEmpty()) {
            ArrayNode tools = json.putArray("tools");
            example.tools().forEach(tool -> add(tools.addObject(), tool));
        }
        return json.toString();
    }

    private static void add(ObjectNode json, Message message) {
        switch (message) {
            case SystemMessage(String content) -> json.put("role", "system").put("content", content);
            case UserMessage(String content) -> json.put("role", "user").put("content", content);
            case ToolMessage result ->
                json.put("role", "tool")
                        .put("tool_call_id", result.toolCallId())
                        .put("content", result.content());
            case AssistantMessage answer -> {
                json.put("role", "assistant").put("content", answer.content());
                if (!answer.toolCalls().isEmpty()) {
                    ArrayNode calls = json.putArray("tool_calls");
                    answer.toolCalls().forEach(call -> add(calls.addObject(), call));
                }
            }
        }
    }

    private static void add(ObjectNode json, ToolCall call) {
        json.put("id", call.id()).put("type", "function");
        json.putObject("function").put("name", call.name()).put("arguments", call.arguments());
    }

    private static void add(ObjectNode json, ToolDefinition tool) {
        json.put("type", "function");
        json.putObject("function")
                .put("name", tool.name())
                .put("description", tool.description())
                .set("parameters", tool.parameters());
    }

    /// Writes the files again.
    public static void main(String[] args) throws IOException {
        Files.writeString(FOLDER.resolve("tickets.jsonl"), ticketsText());
        Files.writeString(FOLDER.resolve("keep.jsonl"), keepText());
    }
}
