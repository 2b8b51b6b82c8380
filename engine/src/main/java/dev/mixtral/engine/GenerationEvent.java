package dev.mixtral.engine;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.sampling.TokenLogprob;
import java.util.List;

/// What a generation yields, in order: exactly one [Started], then text, tool calls and routing, then exactly one
/// [Finished]. A generation that ends before its turn comes has no [Started].
public sealed interface GenerationEvent {
    /// The beginning: the request's turn has come, and its prompt is about to be computed.
    ///
    /// @param numCachedTokens leading prompt tokens whose keys and values are still in memory
    record Started(int numCachedTokens) implements GenerationEvent {}

    /// The experts that one token went to. Comes for every token that is computed, those of the prompt included, in
    /// order, if the request asks for it. Not for cached tokens, and not for the last one generated, which nothing
    /// follows.
    ///
    /// @param position position of the token in the sequence
    /// @param tokenId the token
    /// @param experts `[numLayers * numExpertsPerToken]`, layer by layer, first choice first
    /// @param weights shares of the experts' outputs, in the same order
    record Routed(int position, int tokenId, int[] experts, float[] weights) implements GenerationEvent {}

    /// A piece of the answer, whole code points only.
    ///
    /// @param text not empty, except in a last piece that only carries log-probabilities
    /// @param logprobs one per token since the last piece, if they were asked for
    record TextDelta(String text, List<TokenLogprob> logprobs) implements GenerationEvent {}

    /// A piece of a call, as it is written. Comes only where an [OutputConstraint] makes sure that calls are what it
    /// will be; [ToolCalls] repeats them when they are complete.
    ///
    /// @param index which call of the answer, from 0
    /// @param name the function
    /// @param arguments the next characters of the arguments' JSON text; empty in the first piece of a call
    record ToolCallDelta(int index, String name, String arguments) implements GenerationEvent {}

    /// The calls that the model wants made, after a complete `[TOOL_CALLS]` answer.
    record ToolCalls(List<ToolCall> calls) implements GenerationEvent {}

    /// The end.
    record Finished(FinishReason reason, Usage usage) implements GenerationEvent {}
}
