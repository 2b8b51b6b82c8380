package dev.mixtral.train;

import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.InstructTemplate;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.train.corpus.Example;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/// Renders conversations to training segments with the template that inference will use. Thread-safe.
///
/// What the assistant says, `</s>` included, counts in full; everything else counts little, since it is the user who
/// will write it. The template shows the system prompt and the tools with the *last* user message only, so earlier
/// answers of such a conversation do not count in full either: they could not be predicted from what precedes them.
final class ConversationEncoder {
    private static final Pattern CONTROL = Pattern.compile("<s>|</s>|\\[/?[A-Z_]+\\]");

    private final Tokenizer tokenizer;
    private final InstructTemplate template;
    private final float promptWeight;
    private final int beginInstruction;
    private final int endInstruction;
    private final int beginResults;
    private final int endResults;

    /// @param tokenizer has the control tokens of v3
    /// @param promptWeight loss weight of tokens that the assistant does not write
    ConversationEncoder(Tokenizer tokenizer, float promptWeight) {
        this.tokenizer = tokenizer;
        this.template = InstructTemplate.of(tokenizer);
        this.promptWeight = promptWeight;
        this.beginInstruction = control("[INST]");
        this.endInstruction = control("[/INST]");
        this.beginResults = control("[TOOL_RESULTS]");
        this.endResults = control("[/TOOL_RESULTS]");
    }

    private int control(String piece) {
        return tokenizer
                .controlId(piece)
                .orElseThrow(() -> new IllegalArgumentException("the tokenizer has no control piece " + piece));
    }

    /// Encodes a training example.
    Segment segment(Example example) {
        int[] ids = render(example).ids();
        if (example.isText()) {
            float[] weights = new float[ids.length];
            Arrays.fill(weights, 1, weights.length, 1);
            return new Segment(ids, weights, false);
        }
        boolean plain = example.tools().isEmpty() && system(example).isEmpty();
        return new Segment(ids, weights(ids, plain ? 0 : lastInstruction(ids)), plain);
    }

    /// Returns the texts between the control tokens of an example.
    List<String> texts(Example example) {
        return CONTROL.splitAsStream(render(example).text())
                .map(text -> text.startsWith(" ") ? text.substring(1) : text)
                .filter(text -> !text.isEmpty())
                .toList();
    }

    private ChatTemplate.Prompt render(Example example) {
        List<Message> turns = example.messages().stream()
                .filter(message -> !(message instanceof SystemMessage))
                .toList();
        return template.renderAsIs(system(example), turns, example.tools(), false);
    }

    private static String system(Example example) {
        return example.messages().getFirst() instanceof SystemMessage(var content) ? content : "";
    }

    /// Returns the prompt that the answer follows.
    int[] prompt(List<Message> messages, List<ToolDefinition> tools) {
        return template.render(messages, tools).ids();
    }

    private int lastInstruction(int[] ids) {
        for (int i = ids.length - 1; i > 0; i--) {
            if (ids[i] == beginInstruction) {
                return i;
            }
        }
        return 0;
    }

    /// The assistant speaks after `[/INST]` and after `[/TOOL_RESULTS]`, until EOS or further results.
    private float[] weights(int[] ids, int countFrom) {
        float[] weights = new float[ids.length];
        boolean answering = false;
        for (int i = 1; i < ids.length; i++) {
            if (ids[i] == beginResults) {
                answering = false;
            }
            weights[i] = answering && i > countFrom ? 1 : promptWeight;
            if (ids[i] == endInstruction || ids[i] == endResults) {
                answering = true;
            } else if (ids[i] == tokenizer.eosId()) {
                answering = false;
            }
        }
        return weights;
    }
}
