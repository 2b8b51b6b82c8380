package dev.mixtral.server.wire;

import dev.mixtral.chat.ToolDefinition;
import java.util.List;

/// The tools of a request and how they may be used. Immutable.
///
/// @param tools the functions on offer
/// @param choice which of them may or must be called
/// @param parallelCalls whether there may be several calls in one answer
/// @param legacy whether the request used `functions`, so that the answer is a `function_call`
public record ToolSettings(List<ToolDefinition> tools, ToolChoice choice, boolean parallelCalls, boolean legacy) {
    /// More calls than this in one answer are a loop.
    private static final int MAX_CALLS = 16;

    /// No tools at all.
    public static final ToolSettings NONE = new ToolSettings(List.of(), new ToolChoice.None(), true, false);

    public ToolSettings {
        tools = List.copyOf(tools);
    }

    /// Returns whether the answer may contain calls.
    public boolean mayCall() {
        return !tools.isEmpty() && !(choice instanceof ToolChoice.None);
    }

    /// Returns how many calls one answer may contain.
    public int maxCalls() {
        return parallelCalls ? MAX_CALLS : 1;
    }
}
