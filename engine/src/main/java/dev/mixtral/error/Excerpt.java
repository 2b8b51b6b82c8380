package dev.mixtral.error;

/// Quotes input in messages: its beginning, as they should not have megabytes of it.
public final class Excerpt {
    private static final int MAX = 64;

    private Excerpt() {}

    /// Returns a text, or its first 64 characters and an ellipsis.
    public static String of(String text) {
        return of(text, MAX);
    }

    /// Returns a text, or its first characters and an ellipsis. No surrogate pair is cut in half: the rest would be no
    /// text, and an answer that quotes it no JSON to strict readers.
    ///
    /// @param max Unicode characters that are left as they are
    public static String of(String text, int max) {
        return text.codePointCount(0, text.length()) <= max
                ? text
                : text.substring(0, text.offsetByCodePoints(0, max)) + "…";
    }
}
