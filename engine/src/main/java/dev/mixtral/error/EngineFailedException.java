package dev.mixtral.error;

/// Computing an answer failed inside the engine. The engine itself goes on: other requests and later ones are answered.
public final class EngineFailedException extends MixtralException {
    private static final long serialVersionUID = 1L;

    /// @param cause what was thrown
    public EngineFailedException(Throwable cause) {
        super(
                "the answer could not be computed: " + cause + ". The engine goes on; try the request again, and report"
                        + " this if it happens again.",
                cause);
    }
}
