package dev.mixtral.train;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.InstructTemplate;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.train.corpus.Example;
import java.util.List;
import java.util.regex.Pattern;

/// Renders conversations to training segments with the template that inference will use. Thread-safe.
///
/// What the assistant says, `</s>` included, counts in full; everything else counts little, since it is the user who
/// will write it. The template shows the system prompt and the tools with the *last* user message only, so earlier
/// answers of such a conversation do not count in full either: they could not be predicted from what precedes them.
final class ConversationEncoder {
    private static final Pattern CONTROL = Pattern.compile("<s>|</s>|\\[/?[A-Z_]+\\]");

    private final InstructTemplate template;
    private final float promptWeight;

    /// @param tokenizer has the control tokens of v3
    /// @param promptWeight loss weight of tokens that the assistant does not write
    ConversationEncoder(Tokenizer tokenizer, float promptWeight) {
        this.template = InstructTemplate.of(tokenizer);
        this.promptWeight = promptWeight;
    }

    /// Encodes a training example.
    Segment segment(Example example) {
        List<Message> turns = turns(example);
        var rendered = template.renderTurns(system(example), turns, example.tools());
        if (example.isText()) {
            return Segment.of(rendered, _ -> true, 1, false);
        }
        boolean plain = example.tools().isEmpty() && system(example).isEmpty();
        int countFrom = plain ? 0 : lastUser(turns);
        return Segment.of(
                rendered,
                message -> message > countFrom && turns.get(message) instanceof AssistantMessage,
                promptWeight,
                plain);
    }

    /// Returns the texts between the control tokens of an example.
    List<String> texts(Example example) {
        return CONTROL.splitAsStream(render(example).text())
                .map(text -> text.startsWith(" ") ? text.substring(1) : text)
                .filter(text -> !text.isEmpty())
                .toList();
    }

    private ChatTemplate.Prompt render(Example example) {
        return template.renderAsIs(system(example), turns(example), example.tools(), false);
    }

    private static List<Message> turns(Example example) {
        return example.messages().stream()
                .filter(message -> !(message instanceof SystemMessage))
                .toList();
    }

    private static String system(Example example) {
        return example.messages().getFirst() instanceof SystemMessage(var content) ? content : "";
    }

    /// Returns the prompt that the answer follows.
    int[] prompt(List<Message> messages, List<ToolDefinition> tools) {
        return template.render(messages, tools).ids();
    }

    private static int lastUser(List<Message> turns) {
        for (int i = turns.size() - 1; i > 0; i--) {
            if (turns.get(i) instanceof UserMessage) {
                return i;
            }
        }
        return 0;
    }
}
