package dev.mixtral.error;

/// A well-formed file asks for something that this program does not do, such as a tensor type it cannot read.
public final class UnsupportedModelException extends MixtralException {
    private static final long serialVersionUID = 1L;

    /// @param message what is not supported, named as in the file, where it was found, and what is supported
    public UnsupportedModelException(String message) {
        super(message, null);
    }
}
