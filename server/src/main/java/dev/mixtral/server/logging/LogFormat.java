package dev.mixtral.server.logging;

/// How log lines are written.
public enum LogFormat {
    /// For people: time, level, message, then `name=value` pairs.
    TEXT,
    /// One JSON object a line, for collectors.
    JSON
}
