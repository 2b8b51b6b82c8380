package dev.mixtral.server.logging;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;
import java.util.regex.Pattern;

/// Writes `2026-01-31T12:00:00.000Z INFO message name=value`, and stack traces below. Thread-safe.
final class TextFormatter extends Formatter {
    /// Values that need no quotes.
    private static final Pattern PLAIN = Pattern.compile("[^\\s\"=\\p{Cntrl}]+");

    /// What could pass for a line of its own, or steer a terminal.
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}\\x80-\\x9f\\u2028\\u2029]");

    @Override
    public String format(LogRecord entry) {
        StringBuilder line = new StringBuilder()
                .append(DateTimeFormatter.ISO_INSTANT.format(entry.getInstant().truncatedTo(ChronoUnit.MILLIS)))
                .append(' ')
                .append("%-7s ".formatted(LogLevel.of(entry.getLevel())))
                .append(escape(formatMessage(entry)));
        FieldRecord.of(entry)
                .forEach((name, value) ->
                        line.append(' ').append(name).append('=').append(quoted(value)));
        line.append('\n');
        if (entry.getThrown() != null) {
            line.append(stackTrace(entry.getThrown()));
        }
        return line.toString();
    }

    private static String quoted(Object value) {
        String text = String.valueOf(value);
        return PLAIN.matcher(text).matches()
                ? text
                : '"' + escape(text.replace("\\", "\\\\").replace("\"", "\\\"")) + '"';
    }

    private static String escape(String text) {
        return CONTROL.matcher(text).replaceAll(found -> switch (found.group()) {
            case "\n" -> "\\\\n";
            case "\r" -> "\\\\r";
            case "\t" -> "\\\\t";
            default -> "\\\\u%04x".formatted((int) found.group().charAt(0));
        });
    }

    /// Returns a failure's stack trace, as the JDK prints it.
    static String stackTrace(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }
}
