package dev.mixtral.error;

/// The engine was closed before or while it answered.
public final class EngineClosedException extends MixtralException {
    private static final long serialVersionUID = 1L;

    /// Creates the exception with its only message.
    public EngineClosedException() {
        super("the engine is closed, so it answers no more requests. Load the model again.", null);
    }
}
