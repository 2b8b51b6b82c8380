package dev.mixtral.server.api;

/// The client went away, or stopped reading, before its answer was complete.
public final class ClientGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Says so.
    public ClientGoneException() {
        super("the client has gone");
    }
}
