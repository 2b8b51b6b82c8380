package dev.mixtral.cli;

import java.io.PrintStream;
import java.text.MessageFormat;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/// Shows what libraries log as one plain line each: warnings, or everything from INFO on when debugging.
final class LogOutput extends Handler {
    private final PrintStream err;

    private LogOutput(PrintStream err) {
        this.err = err;
    }

    /// Takes the place of the JDK's own output, which is two lines with a date.
    static void install(Terminal terminal) {
        LogManager.getLogManager().reset();
        LogOutput handler = new LogOutput(terminal.err());
        handler.setLevel(terminal.debug() ? Level.INFO : Level.WARNING);
        Logger.getLogger("").addHandler(handler);
    }

    @Override
    public void publish(LogRecord entry) {
        if (isLoggable(entry)) {
            Object[] parameters = entry.getParameters();
            String text = parameters == null || parameters.length == 0
                    ? entry.getMessage()
                    : MessageFormat.format(entry.getMessage(), parameters);
            err.println("mixtral: " + text);
        }
    }

    @Override
    public void flush() {
        err.flush();
    }

    @Override
    public void close() {
        flush();
    }
}
