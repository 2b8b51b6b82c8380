package dev.mixtral.train.corpus;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;

/// Shows examples as text, for people who review the corpus.
public final class Samples {
    private Samples() {}

    /// Returns `perSkill` examples of every skill, readable, each with its skill and its messages.
    public static String render(long seed, int perSkill) {
        var rng = new Rng(Rng.mix(seed));
        var out = new StringBuilder();
        for (Skills.Weighted entry : Skills.all()) {
            out.append("## ").append(entry.skill().name()).append("\n\n");
            for (int i = 0; i < perSkill; i++) {
                out.append(render(entry.skill().draw(rng))).append('\n');
            }
        }
        return out.toString();
    }

    /// Returns one example, a line per message: `S:` system, `U:` user, `A:` assistant, `C:` call, `R:` result.
    public static String render(Example example) {
        var out = new StringBuilder();
        if (!example.tools().isEmpty()) {
            var names = example.tools().stream().map(ToolDefinition::name).toList();
            out.append("tools: ").append(String.join(", ", names)).append('\n');
        }
        for (Message message : example.messages()) {
            switch (message) {
                case SystemMessage(var content) -> out.append("S: ").append(content);
                case UserMessage(var content) -> out.append("U: ").append(content);
                case ToolMessage result -> out.append("R: ").append(result.content());
                case AssistantMessage answer -> {
                    out.append(answer.content() == null ? "C:" : "A: " + answer.content());
                    for (ToolCall call : answer.toolCalls()) {
                        out.append(' ')
                                .append(call.name())
                                .append(call.arguments())
                                .append(' ')
                                .append(call.id());
                    }
                }
            }
            out.append('\n');
        }
        return out.toString();
    }
}
