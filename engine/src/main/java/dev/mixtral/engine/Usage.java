package dev.mixtral.engine;

/// What a generation took.
///
/// @param numPromptTokens tokens of the prompt, BOS included
/// @param numCachedTokens leading prompt tokens whose keys and values were still in memory
/// @param numGeneratedTokens generated tokens, the end-of-sequence token and stop texts included
/// @param ttftNanos time from the request to the first token
/// @param totalNanos time from the request to the end
public record Usage(int numPromptTokens, int numCachedTokens, int numGeneratedTokens, long ttftNanos, long totalNanos) {
    /// Returns prompt tokens computed per second.
    public double promptTokensPerSecond() {
        return ttftNanos == 0 ? 0 : (numPromptTokens - numCachedTokens) * 1e9 / ttftNanos;
    }

    /// Returns tokens generated per second, the first one and its wait left out.
    public double generatedTokensPerSecond() {
        long nanos = totalNanos - ttftNanos;
        return numGeneratedTokens < 2 || nanos == 0 ? 0 : (numGeneratedTokens - 1) * 1e9 / nanos;
    }
}
