package dev.mixtral.error;

/// A request cannot be carried out as it stands: a parameter out of range, messages in an impossible order.
public final class InvalidRequestException extends MixtralException {
    private static final long serialVersionUID = 1L;

    private final String param;

    /// @param param the offending parameter, as a path such as `messages[2].content`
    /// @param message what was expected and what was found
    public InvalidRequestException(String param, String message) {
        super(message, null);
        this.param = param;
    }

    /// Returns the offending parameter, as a path such as `messages[2].content`.
    public String param() {
        return param;
    }
}
