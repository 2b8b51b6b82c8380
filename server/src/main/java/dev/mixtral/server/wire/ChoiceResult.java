package dev.mixtral.server.wire;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.sampling.TokenLogprob;
import java.util.List;

/// One finished choice. Immutable.
///
/// @param text what was generated, with what it starts with by request
/// @param logprobs one per token of the text; empty if they were not asked for
/// @param toolCalls the calls that the model made
/// @param finishReason in the API's words
public record ChoiceResult(String text, List<TokenLogprob> logprobs, List<ToolCall> toolCalls, String finishReason) {
    public ChoiceResult {
        logprobs = List.copyOf(logprobs);
        toolCalls = List.copyOf(toolCalls);
    }
}
