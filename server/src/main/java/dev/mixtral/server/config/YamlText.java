package dev.mixtral.server.config;

import java.util.regex.Pattern;

/// Writes single YAML values.
final class YamlText {
    /// Texts that mean themselves in YAML without quotes, numbers among them.
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9/_][A-Za-z0-9/_.+-]*");

    private static final Pattern CONTROL = Pattern.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff]");

    private YamlText() {}

    /// Writes a value without quotes where it needs none.
    static String plain(String text) {
        return PLAIN.matcher(text).matches() && !text.equals("null") ? text : quote(text);
    }

    /// Writes a value in double quotes.
    static String quote(String text) {
        String escaped = text.replace("\\", "\\\\").replace("\"", "\\\"");
        return "\""
                + CONTROL.matcher(escaped)
                        .replaceAll(found ->
                                "\\\\u%04x".formatted((int) found.group().charAt(0)))
                + "\"";
    }
}
