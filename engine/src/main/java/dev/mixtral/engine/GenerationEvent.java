package dev.mixtral.engine;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.sampling.TokenLogprob;
import java.util.List;

/// What a generation yields, in order: text and tool calls, then exactly one [Finished].
public sealed interface GenerationEvent {
    /// A piece of the answer, whole code points only.
    ///
    /// @param text not empty, except in a last piece that only carries log-probabilities
    /// @param logprobs one per token since the last piece, if they were asked for
    record TextDelta(String text, List<TokenLogprob> logprobs) implements GenerationEvent {}

    /// The calls that the model wants made, after a complete `[TOOL_CALLS]` answer.
    record ToolCalls(List<ToolCall> calls) implements GenerationEvent {}

    /// The end.
    record Finished(FinishReason reason, Usage usage) implements GenerationEvent {}
}
