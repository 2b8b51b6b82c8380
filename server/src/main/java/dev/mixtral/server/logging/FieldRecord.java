package dev.mixtral.server.logging;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/// A log record with named values, which both formats write each in its way.
final class FieldRecord extends LogRecord {
    private static final long serialVersionUID = 1L;

    private final transient Map<String, Object> fields;

    /// @param fields texts, numbers, booleans and lists of texts, in their order
    FieldRecord(Level level, String message, Map<String, Object> fields) {
        super(level, message);
        this.fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /// Returns the named values of a record; none of an ordinary one.
    static Map<String, Object> of(LogRecord entry) {
        return entry instanceof FieldRecord record ? record.fields : Map.of();
    }
}
