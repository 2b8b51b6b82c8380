package dev.mixtral.chat;

import java.util.List;

/// Makes the exact token ids of a prompt from a conversation. Implementations are immutable and thread-safe.
public interface ChatTemplate {
    /// Renders a conversation so that the model's answer comes next.
    ///
    /// @param messages at least one
    /// @param tools the functions on offer; may be empty
    /// @return the prompt, BOS included
    /// @throws dev.mixtral.error.InvalidRequestException if the template has no place for these messages
    Prompt render(List<Message> messages, List<ToolDefinition> tools);

    /// A prompt: its ids, and how it reads.
    ///
    /// @param ids token ids, BOS first; control tokens only where the template puts them
    /// @param text the same with control tokens spelled out, for people
    record Prompt(int[] ids, String text) {}
}
