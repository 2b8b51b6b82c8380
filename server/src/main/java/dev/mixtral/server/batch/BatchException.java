package dev.mixtral.server.batch;

/// A batch cannot be run as it was asked for. The message says why, and what to do.
public final class BatchException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param message what is wrong, where, and the next step
    public BatchException(String message) {
        super(message);
    }
}
