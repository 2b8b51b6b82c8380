package dev.mixtral.error;

/// A prompt does not fit the model's context.
public final class ContextLengthException extends MixtralException {
    private static final long serialVersionUID = 1L;

    private final int numPromptTokens;
    private final int contextLength;

    /// @param numPromptTokens tokens of the prompt
    /// @param contextLength positions that the context has
    public ContextLengthException(int numPromptTokens, int contextLength) {
        super(
                "the prompt has " + numPromptTokens + " tokens, but the context holds " + contextLength
                        + " and needs room for at least one generated token. Shorten the prompt, or open the model"
                        + " with a larger context where it allows one.",
                null);
        this.numPromptTokens = numPromptTokens;
        this.contextLength = contextLength;
    }

    /// Returns the number of tokens of the prompt.
    public int numPromptTokens() {
        return numPromptTokens;
    }

    /// Returns the number of positions that the context has.
    public int contextLength() {
        return contextLength;
    }
}
