package dev.mixtral.server.logging;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;
import tools.jackson.databind.json.JsonMapper;

/// Writes one JSON object a line: `time`, `level`, `logger`, `message`, the named values, `exception`. Thread-safe.
final class JsonFormatter extends Formatter {
    private static final JsonMapper MAPPER = JsonMapper.shared();

    @Override
    public String format(LogRecord entry) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("time", entry.getInstant().toString());
        line.put("level", LogLevel.of(entry.getLevel()).name().toLowerCase(Locale.ROOT));
        line.put("logger", String.valueOf(entry.getLoggerName()));
        line.put("message", String.valueOf(formatMessage(entry)));
        line.putAll(FieldRecord.of(entry));
        if (entry.getThrown() != null) {
            line.put("exception", TextFormatter.stackTrace(entry.getThrown()));
        }
        return MAPPER.writeValueAsString(line) + "\n";
    }
}
