package dev.mixtral.server.logging;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.logging.ErrorManager;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/// Sends everything that is logged in this process to one stream.
public final class LogSetup {
    private LogSetup() {}

    /// Takes the place of whatever output there was.
    ///
    /// @param out where lines go, each in one write; not closed
    public static void install(OutputStream out, LogLevel level, LogFormat format) {
        LogManager.getLogManager().reset();
        Logger root = Logger.getLogger("");
        root.setLevel(level.level());
        root.addHandler(new StreamOutput(out, level.level(), formatter(format)));
    }

    /// Returns the formatter of a format.
    static Formatter formatter(LogFormat format) {
        return switch (format) {
            case TEXT -> new TextFormatter();
            case JSON -> new JsonFormatter();
        };
    }

    /// Returns whether the JVM is ending: then it takes no further hooks.
    private static boolean isShuttingDown() {
        Thread probe = new Thread(() -> {}, "probe");
        try {
            Runtime.getRuntime().addShutdownHook(probe);
            Runtime.getRuntime().removeShutdownHook(probe);
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    /// Writes each record at once: a buffer would lose the last lines of a process that dies.
    private static final class StreamOutput extends Handler {
        private final OutputStream out;

        StreamOutput(OutputStream out, Level level, Formatter formatter) {
            this.out = out;
            setLevel(level);
            setFormatter(formatter);
        }

        @Override
        public void publish(LogRecord entry) {
            if (!isLoggable(entry)) {
                return;
            }
            byte[] line = getFormatter().format(entry).getBytes(StandardCharsets.UTF_8);
            synchronized (out) {
                try {
                    out.write(line);
                    out.flush();
                } catch (IOException e) {
                    // Nobody reads the log any more; the server goes on without it.
                    getErrorManager().error("cannot write the log", e, ErrorManager.WRITE_FAILURE);
                }
            }
        }

        @Override
        public void flush() {}

        /// When the JVM is told to end, the JDK takes every handler away at once, while running requests are still
        /// finished and have something to tell: then this one comes back.
        @Override
        public void close() {
            if (isShuttingDown()) {
                Logger.getLogger("").addHandler(this);
            }
        }
    }
}
