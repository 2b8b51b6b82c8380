package dev.mixtral.train.corpus;

import java.util.List;
import java.util.Map;

/// Writes JSON in the spacing of Mistral's tool calls: `{"a": 1, "b": [2, 3]}`.
final class Json {
    private Json() {}

    /// Writes a map, list, string, number or boolean.
    static String write(Object value) {
        var out = new StringBuilder();
        append(out, value);
        return out.toString();
    }

    private static void append(StringBuilder out, Object value) {
        switch (value) {
            case Map<?, ?> map -> appendMap(out, map);
            case List<?> list -> appendList(out, list);
            case String text ->
                out.append('"')
                        .append(text.replace("\\", "\\\\").replace("\"", "\\\""))
                        .append('"');
            case Integer number -> out.append(number.intValue());
            case Boolean truth -> out.append(truth.booleanValue());
            default -> throw new IllegalArgumentException("no JSON form for " + value.getClass());
        }
    }

    private static void appendMap(StringBuilder out, Map<?, ?> map) {
        out.append('{');
        String separator = "";
        for (var entry : map.entrySet()) {
            out.append(separator).append('"').append(entry.getKey()).append("\": ");
            append(out, entry.getValue());
            separator = ", ";
        }
        out.append('}');
    }

    private static void appendList(StringBuilder out, List<?> list) {
        out.append('[');
        String separator = "";
        for (Object element : list) {
            out.append(separator);
            append(out, element);
            separator = ", ";
        }
        out.append(']');
    }
}
