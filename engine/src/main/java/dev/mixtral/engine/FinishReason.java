package dev.mixtral.engine;

/// Why a generation ended.
public enum FinishReason {
    /// The model ended its answer, or a stop text appeared.
    STOP,
    /// The token limit or the end of the context was reached.
    LENGTH,
    /// The model called tools.
    TOOL_CALLS,
    /// [Generation#cancel()] was called.
    ABORTED
}
