package dev.mixtral.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.InstructTemplate;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import dev.mixtral.train.Segment;
import dev.mixtral.train.data.DataExample.Chat;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.JsonNodeFactory;

class ExampleEncoderTest {
    private static final Path MODEL = Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny");
    private static final Origin HERE = new Origin(Path.of("here"), 1);

    private final Tokenizer tokenizer = Tokenizers.open(MODEL.resolve("tokenizer.model"));
    private final InstructTemplate template = InstructTemplate.of(tokenizer);

    private ExampleEncoder encoder(int maxLength) {
        return new ExampleEncoder(tokenizer, template, tokenizer.eosId(), maxLength);
    }

    private static Chat chat(List<ToolDefinition> tools, Set<Integer> muted, Message... messages) {
        return new Chat(HERE, List.of(messages), tools, muted);
    }

    /// The learned tokens of a segment, as text.
    private String learned(Segment segment) {
        int[] ids = new int[segment.length()];
        int count = 0;
        for (int i = 0; i < ids.length; i++) {
            if (segment.weights()[i] > 0) {
                ids[count++] = segment.ids()[i];
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(tokenizer.piece(ids[i]));
        }
        return text.toString().replace('▁', ' ');
    }

    @Test
    void beginsWithThePromptOfInferenceAndLearnsTheAnswerAlone() {
        List<Segment> segments = encoder(100)
                .encode(chat(List.of(), Set.of(), Message.user("Say hi."), Message.assistant("Hello there")));
        assertThat(segments).hasSize(1);
        int[] prompt =
                template.render(List.of(Message.user("Say hi.")), List.of()).ids();
        Segment segment = segments.getFirst();
        assertThat(Arrays.copyOf(segment.ids(), prompt.length)).isEqualTo(prompt);
        assertThat(learned(segment)).isEqualTo(" Hello there</s>");
    }

    @Test
    void learnsEveryAnswerOfAPlainConversationButTheMuted() {
        List<Segment> segments = encoder(200)
                .encode(chat(
                        List.of(),
                        Set.of(1),
                        Message.user("a"),
                        Message.assistant("one"),
                        Message.user("b"),
                        Message.assistant("two"),
                        Message.user("c"),
                        Message.assistant("three")));
        assertThat(segments).hasSize(1);
        assertThat(learned(segments.getFirst())).isEqualTo(" two</s> three</s>");
    }

    @Test
    void showsSystemPromptAndToolsToEachAnswerAsInferenceDoes() {
        var add = new ToolDefinition("add", "sum", JsonNodeFactory.instance.objectNode());
        Message[] messages = {
            Message.system("Be brief."),
            Message.user("1+2?"),
            new AssistantMessage(null, List.of(new ToolCall("abcdefghi", "add", "{\"a\":1}")), false),
            new ToolMessage("3", "abcdefghi", null),
            Message.assistant("Three."),
            Message.user("Thanks"),
            Message.assistant("Welcome.")
        };
        List<Segment> segments = encoder(400).encode(chat(List.of(add), Set.of(), messages));
        assertThat(segments).hasSize(2);
        int[] first =
                template.render(List.of(messages[0], messages[1]), List.of(add)).ids();
        int[] second =
                template.render(List.of(messages).subList(0, 6), List.of(add)).ids();
        assertThat(Arrays.copyOf(segments.get(0).ids(), first.length)).isEqualTo(first);
        assertThat(Arrays.copyOf(segments.get(1).ids(), second.length)).isEqualTo(second);
        assertThat(learned(segments.get(0)))
                .startsWith("[TOOL_CALLS]")
                .contains("add")
                .endsWith("</s> Three.</s>");
        assertThat(learned(segments.get(1))).isEqualTo(" Welcome.</s>");
    }

    @Test
    void refusesALongConversationAndCutsALongText() {
        Chat chat = chat(List.of(), Set.of(), Message.user("word ".repeat(40)), Message.assistant("b"));
        assertThatThrownBy(() -> encoder(20).encode(chat)).hasMessageContaining("more than sequence-length (20)");
        List<Segment> pieces =
                encoder(20).encode(new DataExample.Text(HERE, "word ".repeat(40).strip()));
        assertThat(pieces).hasSizeGreaterThan(1).allMatch(piece -> piece.length() <= 20);
        int learned = pieces.stream().mapToInt(Segment::numCounted).sum();
        assertThat(learned).isEqualTo(tokenizer.encode("word ".repeat(40).strip()).length + 1);
        int[] last = pieces.getLast().ids();
        assertThat(last[last.length - 1]).isEqualTo(tokenizer.eosId());
    }

    @Test
    void underATemplateOfTheModelsOwnEachAnswerFollowsItsPrompt() {
        ChatTemplate own = (messages, tools) -> {
            int[] ids = tokenizer.encode("Q" + messages.size());
            return new ChatTemplate.Prompt(ids, "");
        };
        List<Segment> segments = new ExampleEncoder(tokenizer, own, tokenizer.eosId(), 50)
                .encode(chat(
                        List.of(),
                        Set.of(),
                        Message.user("a"),
                        Message.assistant("one"),
                        Message.user("b"),
                        Message.assistant("two")));
        assertThat(segments).extracting(this::learned).containsExactly("one</s>", "two</s>");
    }
}
