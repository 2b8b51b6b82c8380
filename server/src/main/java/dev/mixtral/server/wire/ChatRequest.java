package dev.mixtral.server.wire;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import java.util.List;

/// A checked request for a chat completion. Immutable.
///
/// @param messages at least one
/// @param tools the functions on offer and how they may be used
/// @param format the form that the answer must have
/// @param sampling how tokens are chosen
/// @param numChoices answers wanted
/// @param stream how the answer is sent
/// @param extras what this server offers beyond the API
public record ChatRequest(
        List<Message> messages,
        ToolSettings tools,
        OutputFormat format,
        Sampling sampling,
        int numChoices,
        StreamSettings stream,
        Extras extras) {
    public ChatRequest {
        messages = List.copyOf(messages);
    }

    /// How an answer is sent.
    ///
    /// @param isStream as an event stream, or in one piece
    /// @param includeUsage whether an OpenAI stream ends with the usage
    public record StreamSettings(boolean isStream, boolean includeUsage) {}

    /// What this server offers beyond the API.
    ///
    /// @param routing whether the answer carries the experts that each token went to
    /// @param timing whether the usage carries times
    public record Extras(boolean routing, boolean timing) {}

    /// Returns the text that the answer starts with: the last message, if it asks to be continued and repeated.
    public String prefix() {
        return messages.getLast() instanceof AssistantMessage answer && answer.prefix() && answer.content() != null
                ? answer.content()
                : "";
    }

    /// Returns whether the answer goes on with the last message rather than answering it.
    public boolean isContinuation() {
        return messages.getLast() instanceof AssistantMessage;
    }
}
