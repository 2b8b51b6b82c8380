package dev.mixtral.train.corpus;

import java.util.List;
import java.util.Locale;

/// Small text helpers of the grammars.
final class Text {
    private Text() {}

    /// Fills `{0}`, `{1}` … of a template.
    static String fill(String template, Object... values) {
        var out = new StringBuilder(template.length() + 32);
        for (int i = 0; i < template.length(); i++) {
            char c = template.charAt(i);
            if (c == '{' && i + 2 < template.length() && template.charAt(i + 2) == '}') {
                out.append(values[template.charAt(i + 1) - '0']);
                i += 2;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    /// Returns the text with its first letter in upper case; an opening "¿" is passed over.
    static String capitalize(String text) {
        int first = text.startsWith("¿") ? 1 : 0;
        int end = text.offsetByCodePoints(first, 1);
        return text.substring(0, first) + upper(text.substring(first, end)) + text.substring(end);
    }

    static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /// Joins as in English: "a", "a and b", "a, b and c".
    static String and(List<String> parts) {
        if (parts.size() == 1) {
            return parts.getFirst();
        }
        return String.join(", ", parts.subList(0, parts.size() - 1)) + " and " + parts.getLast();
    }

    /// Joins the parts that are not empty with single spaces.
    static String words(String... parts) {
        var out = new StringBuilder();
        for (String part : parts) {
            if (!part.isEmpty()) {
                out.append(out.isEmpty() ? "" : " ").append(part);
            }
        }
        return out.toString();
    }

    /// Returns "a" or "an" with the word.
    static String a(String word) {
        return ("aeiou".indexOf(word.charAt(0)) >= 0 ? "an " : "a ") + word;
    }
}
