package dev.mixtral.server.api;

/// Who may use a route.
public enum Access {
    /// Everybody.
    OPEN,
    /// Everybody, unless metrics are protected.
    METRICS,
    /// Who shows a key, if the server has keys.
    KEY
}
