package dev.mixtral.jinja;

/// Ends a rendering at once. An [Error], because Jinjava catches every [Exception] and goes on.
final class RenderAbort extends Error {
    private static final long serialVersionUID = 1L;

    RenderAbort(String message) {
        super(message, null, false, false);
    }
}
