package dev.mixtral.chat;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the model said: text, or tool calls, or (as a prefix) the beginning of a text.
///
/// @param content the text; `null` beside tool calls
/// @param toolCalls the calls; empty for a text answer
/// @param prefix whether the model is to continue this message rather than answer it
public record AssistantMessage(@Nullable String content, List<ToolCall> toolCalls, boolean prefix) implements Message {
    public AssistantMessage {
        toolCalls = List.copyOf(toolCalls);
    }

    /// A plain text answer.
    public AssistantMessage(String content) {
        this(content, List.of(), false);
    }
}
