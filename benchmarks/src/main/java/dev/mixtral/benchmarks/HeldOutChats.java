package dev.mixtral.benchmarks;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.train.corpus.CorpusGenerator;
import dev.mixtral.train.corpus.Example;
import dev.mixtral.train.corpus.HeldOut;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes conversations that mixtral-tiny was not trained on, one per line, as `mixtral perplexity --chats` reads
/// them. The same ones every time.
public final class HeldOutChats {
    private static final JsonMapper MAPPER = new JsonMapper();

    private HeldOutChats() {}

    /// `FILE PER_SKILL`: where to write, and how many conversations of each skill.
    public static void main(String[] args) throws IOException {
        int perSkill = Integer.parseInt(args[1]);
        List<String> lines = CorpusGenerator.skills().stream()
                .flatMap(skill -> HeldOut.examples(skill, perSkill).stream())
                .map(HeldOutChats::line)
                .toList();
        Files.write(Path.of(args[0]), lines);
    }

    private static String line(Example example) {
        ObjectNode line = MAPPER.createObjectNode();
        ArrayNode messages = line.putArray("messages");
        example.messages().forEach(message -> messages.add(json(message)));
        if (!example.tools().isEmpty()) {
            ArrayNode tools = line.putArray("tools");
            example.tools().forEach(tool -> tools.add(json(tool)));
        }
        return MAPPER.writeValueAsString(line);
    }

    private static ObjectNode json(Message message) {
        ObjectNode json = MAPPER.createObjectNode();
        return switch (message) {
            case SystemMessage(String content) -> json.put("role", "system").put("content", content);
            case UserMessage(String content) -> json.put("role", "user").put("content", content);
            case ToolMessage result ->
                json.put("role", "tool")
                        .put("tool_call_id", result.toolCallId())
                        .put("content", result.content());
            case AssistantMessage answer -> answer(answer, json.put("role", "assistant"));
        };
    }

    private static ObjectNode answer(AssistantMessage answer, ObjectNode json) {
        @Nullable String content = answer.content();
        json.put("content", content);
        if (!answer.toolCalls().isEmpty()) {
            ArrayNode calls = json.putArray("tool_calls");
            for (ToolCall call : answer.toolCalls()) {
                ObjectNode entry = calls.addObject().put("id", call.id()).put("type", "function");
                entry.putObject("function").put("name", call.name()).put("arguments", call.arguments());
            }
        }
        return json;
    }

    private static ObjectNode json(ToolDefinition tool) {
        ObjectNode json = MAPPER.createObjectNode().put("type", "function");
        json.putObject("function")
                .put("name", tool.name())
                .put("description", tool.description())
                .set("parameters", tool.parameters());
        return json;
    }
}
