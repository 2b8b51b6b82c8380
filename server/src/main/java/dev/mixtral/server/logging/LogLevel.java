package dev.mixtral.server.logging;

import java.util.logging.Level;

/// How important a message must be to be written.
public enum LogLevel {
    /// The server cannot do its work.
    ERROR,
    /// Something deserves a look.
    WARNING,
    /// Starts, stops and requests.
    INFO,
    /// Probes, scrapes and inner workings too.
    DEBUG;

    /// Returns the level of `java.util.logging`.
    Level level() {
        return switch (this) {
            case ERROR -> Level.SEVERE;
            case WARNING -> Level.WARNING;
            case INFO -> Level.INFO;
            case DEBUG -> Level.FINE;
        };
    }

    /// Returns the word for a level of `java.util.logging`.
    static LogLevel of(Level level) {
        if (level.intValue() >= Level.SEVERE.intValue()) {
            return ERROR;
        }
        if (level.intValue() >= Level.WARNING.intValue()) {
            return WARNING;
        }
        return level.intValue() >= Level.INFO.intValue() ? INFO : DEBUG;
    }
}
