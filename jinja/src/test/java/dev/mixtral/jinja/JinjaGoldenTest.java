package dev.mixtral.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.ChatJson;
import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.ChatTemplates;
import dev.mixtral.chat.InstructTemplate;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint.NamedTemplate;
import dev.mixtral.tokenizer.SentencePieceBpe;
import dev.mixtral.tokenizer.SentencePieceModel;
import dev.mixtral.tokenizer.SpacePrefix;
import dev.mixtral.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Texts, ids and refusals recorded from Hugging Face's libraries over the templates that Mixtral was published with.
class JinjaGoldenTest {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private final Map<Tokenizer, Map<String, JinjaChatTemplate>> templates = new HashMap<>();

    @Test
    void rendersAsTransformers() throws IOException {
        JsonNode sources = MAPPER.readTree(Files.readString(file("golden/hf/chat_templates.json")));
        Tokenizer legacy = open(SpacePrefix.EVERY_PART);
        Tokenizer current = open(SpacePrefix.TEXT_START);
        for (String row : Files.readAllLines(file("golden/chat-hf.dev.jsonl"))) {
            JsonNode line = MAPPER.readTree(row);
            String source = sources.get(line.get("tpl").stringValue()).stringValue();
            if (line.has("error")) {
                String kind = line.get("error").stringValue();
                assertThatThrownBy(() -> render(source, legacy, line))
                        .as(row)
                        .isInstanceOf(InvalidRequestException.class)
                        .hasMessageContaining(kind.startsWith("ValueError: ") ? kind.substring(12) : "template");
                continue;
            }
            ChatTemplate.Prompt prompt = render(source, legacy, line);
            assertThat(prompt.text()).as(row).isEqualTo(line.get("text").stringValue());
            if (spellsControls(line)) {
                // Hugging Face turns what the user typed into control tokens here; ours must not.
                long expected = line.get("messages")
                        .valueStream()
                        .filter(message -> message.get("role").stringValue().equals("assistant"))
                        .count();
                assertThat(IntStream.of(prompt.ids()).filter(id -> id < 3))
                        .as(row)
                        .hasSize((int) expected + 1);
            } else {
                assertThat(prompt.ids()).as(row).isEqualTo(ids(line.get("ids_legacy")));
                assertThat(render(source, current, line).ids()).as(row).isEqualTo(ids(line.get("ids_new")));
            }
        }
    }

    @Test
    void takesTheInstructFormatForMistralsOwnTemplates() throws IOException {
        Tokenizer tokenizer = open(SpacePrefix.EVERY_PART);
        JsonNode sources = MAPPER.readTree(Files.readString(file("golden/hf/chat_templates.json")));
        for (JsonNode source : sources) {
            var template = new NamedTemplate("default", source.stringValue());
            assertThat(ChatTemplates.forTemplates(List.of(template), tokenizer)).isInstanceOf(InstructTemplate.class);
        }
    }

    private ChatTemplate.Prompt render(String source, Tokenizer tokenizer, JsonNode line) {
        ChatJson.Request request = ChatJson.forApi().read(line);
        return templates
                .computeIfAbsent(tokenizer, each -> new HashMap<>())
                .computeIfAbsent(source, each -> new JinjaChatTemplate(each, tokenizer))
                .renderAsIs(request.messages(), request.tools(), false);
    }

    private static boolean spellsControls(JsonNode line) {
        String messages = line.get("messages").toString();
        return List.of("<s>", "</s>", "<unk>").stream().anyMatch(messages::contains);
    }

    private static int[] ids(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::intValue).toArray();
    }

    private static Tokenizer open(SpacePrefix spacePrefix) throws IOException {
        SentencePieceModel model =
                SentencePieceModel.parse("v1", Files.readAllBytes(file("tokenizers/tokenizer.model.v1")));
        return new SentencePieceBpe("v1", model, spacePrefix);
    }

    private static Path file(String name) {
        Path file = Path.of(System.getProperty("mixtral.shared.data", "../shared/data"), name);
        if (!Files.exists(file)) {
            Assumptions.assumeTrue(false, file + " is absent: golden test not run");
        }
        return file;
    }
}
