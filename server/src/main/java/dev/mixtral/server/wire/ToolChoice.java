package dev.mixtral.server.wire;

/// Which tools the model may or must call.
public sealed interface ToolChoice {
    /// No call.
    record None() implements ToolChoice {}

    /// The model decides.
    record Auto() implements ToolChoice {}

    /// At least one call, of any tool.
    record Required() implements ToolChoice {}

    /// One call of this function.
    record Named(String name) implements ToolChoice {}
}
