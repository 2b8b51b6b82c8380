package dev.mixtral.server;

/// The forms of the chat-completion API, which differ where their clients are incompatible with each other.
public enum Dialect {
    /// OpenAI's: the default of `/v1`.
    OPENAI,
    /// Mistral's: usage beside the finish reason of a stream, and whole tool calls in one piece.
    MISTRAL,
    /// OpenRouter's: everything below `/api/v1`.
    OPENROUTER
}
