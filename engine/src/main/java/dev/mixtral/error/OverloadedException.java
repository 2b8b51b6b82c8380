package dev.mixtral.error;

/// There is more to do than the engine may queue, or a request waited too long for its turn.
public final class OverloadedException extends MixtralException {
    private static final long serialVersionUID = 1L;

    private final int retryAfterSeconds;

    /// @param message how much waits, what the limit is, and what would help
    /// @param retryAfterSeconds when another attempt is worth making
    public OverloadedException(String message, int retryAfterSeconds) {
        super(message, null);
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /// Returns after how many seconds another attempt is worth making.
    public int retryAfterSeconds() {
        return retryAfterSeconds;
    }
}
