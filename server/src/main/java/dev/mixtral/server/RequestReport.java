package dev.mixtral.server;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What became of one HTTP request; carries no text of prompts or answers. Immutable.
///
/// @param requestId the id in the answer's `x-request-id`
/// @param method HTTP method
/// @param endpoint the route's path as documented (`/v1/chat/completions`), or `other` if there is none
/// @param status HTTP status; 499 if the client went away first
/// @param model id of the model that answered, or empty
/// @param client name of the API key, or empty
/// @param isStream whether the answer was an event stream
/// @param durationNanos from the request's first byte to the end of the answer
/// @param generation what was generated, or `null` if nothing was
/// @param error the message of the answer if it is an error, or `null`
public record RequestReport(
        String requestId,
        String method,
        String endpoint,
        int status,
        String model,
        String client,
        boolean isStream,
        long durationNanos,
        @Nullable Generated generation,
        @Nullable String error) {

    /// What a request generated, all its choices together. Times are of the first choice.
    ///
    /// @param numPromptTokens tokens of the prompts
    /// @param numCachedTokens of these, those found in the prefix cache
    /// @param numGeneratedTokens tokens of the answers
    /// @param queueNanos from the request to its first computation
    /// @param ttftNanos from the request to its first token; 0 if there was none
    /// @param tpotNanos mean time of each further token; 0 if there was none
    /// @param finishReasons one per choice, in the API's words (`stop`, `length`, `tool_calls`), or `cancelled`
    public record Generated(
            int numPromptTokens,
            int numCachedTokens,
            int numGeneratedTokens,
            long queueNanos,
            long ttftNanos,
            long tpotNanos,
            List<String> finishReasons) {
        public Generated {
            finishReasons = List.copyOf(finishReasons);
        }
    }
}
