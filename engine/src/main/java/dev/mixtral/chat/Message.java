package dev.mixtral.chat;

/// One turn of a conversation, in the roles of the chat-completion APIs. Immutable.
public sealed interface Message permits SystemMessage, UserMessage, AssistantMessage, ToolMessage {
    /// Returns a system message.
    static Message system(String content) {
        return new SystemMessage(content);
    }

    /// Returns a user message.
    static Message user(String content) {
        return new UserMessage(content);
    }

    /// Returns an assistant message with text.
    static Message assistant(String content) {
        return new AssistantMessage(content);
    }
}
