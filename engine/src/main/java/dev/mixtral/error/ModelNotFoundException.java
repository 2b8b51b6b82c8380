package dev.mixtral.error;

/// No model, or no file that a model needs, lies where the user pointed.
public final class ModelNotFoundException extends MixtralException {
    private static final long serialVersionUID = 1L;

    /// @param message what was looked for, where, and what would be accepted there
    public ModelNotFoundException(String message) {
        super(message, null);
    }
}
