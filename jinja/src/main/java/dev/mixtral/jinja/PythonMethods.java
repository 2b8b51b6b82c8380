package dev.mixtral.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The methods of Python's strings and dictionaries that chat templates call; no others can be called.
final class PythonMethods {
    private PythonMethods() {}

    static @Nullable Object call(Object base, String method, List<@Nullable Object> args) {
        return switch (base) {
            case CharSequence text -> ofString(text.toString(), method, args);
            case Map<?, ?> map -> ofDictionary(map, method, args);
            default -> throw unknown(method);
        };
    }

    private static @Nullable Object ofString(String text, String method, List<@Nullable Object> args) {
        return switch (method) {
            case "strip" -> strip(text, args, true, true);
            case "lstrip" -> strip(text, args, true, false);
            case "rstrip" -> strip(text, args, false, true);
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> capitalize(text);
            case "title" -> title(text);
            case "startswith" -> anyOf(args).stream().anyMatch(text::startsWith);
            case "endswith" -> anyOf(args).stream().anyMatch(text::endsWith);
            case "find" -> (long) text.indexOf(string(args, 0));
            case "replace" -> replace(text, string(args, 0), string(args, 1));
            case "split" -> split(text, args);
            case "splitlines" -> text.lines().toList();
            case "join" -> join(text, PythonValues.list(arg(args, 0)));
            default -> throw unknown(method);
        };
    }

    private static @Nullable Object ofDictionary(Map<?, ?> map, String method, List<@Nullable Object> args) {
        return switch (method) {
            case "items" ->
                map.entrySet().stream()
                        .map(entry -> Arrays.asList(entry.getKey(), entry.getValue()))
                        .toList();
            case "keys" -> new ArrayList<>(map.keySet());
            case "values" -> new ArrayList<>(map.values());
            case "get" -> {
                String key = string(args, 0);
                yield map.containsKey(key) ? map.get(key) : args.size() > 1 ? args.get(1) : null;
            }
            default -> throw unknown(method);
        };
    }

    static String strip(String text, List<@Nullable Object> args, boolean left, boolean right) {
        String characters = args.isEmpty() || args.getFirst() == null ? null : string(args, 0);
        int start = 0;
        int end = text.length();
        while (left && start < end && isStripped(text.charAt(start), characters)) {
            start++;
        }
        while (right && end > start && isStripped(text.charAt(end - 1), characters)) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean isStripped(char c, @Nullable String characters) {
        return characters != null
                ? characters.indexOf(c) >= 0
                : Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }

    static String capitalize(String text) {
        return text.isEmpty()
                ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT)
                        + text.substring(1).toLowerCase(Locale.ROOT);
    }

    static String title(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean inWord = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            out.append(inWord ? Character.toLowerCase(c) : Character.toUpperCase(c));
            inWord = Character.isLetter(c);
        }
        return out.toString();
    }

    static String replace(String text, String old, String replacement) {
        long count = old.isEmpty()
                ? text.length() + 1L
                : (text.length() - text.replace(old, "").length()) / old.length();
        RenderScope.current().charge(text.length() + count * replacement.length());
        return text.replace(old, replacement);
    }

    private static List<String> split(String text, List<@Nullable Object> args) {
        if (args.isEmpty() || args.getFirst() == null) {
            return Arrays.stream(text.strip().split("\\s+", -1))
                    .filter(part -> !part.isEmpty())
                    .toList();
        }
        String separator = string(args, 0);
        long limit = args.size() > 1 && args.get(1) instanceof Number number ? number.longValue() : -1;
        if (separator.isEmpty()) {
            throw new IllegalStateException("empty separator");
        }
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(separator); at >= 0 && (limit < 0 || parts.size() < limit); ) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
            at = text.indexOf(separator, from);
        }
        parts.add(text.substring(from));
        return parts;
    }

    static String join(String separator, List<?> elements) {
        StringBuilder out = new StringBuilder();
        String next = "";
        for (Object element : elements) {
            String text = PythonValues.print(element);
            RenderScope.current().charge(next.length() + (long) text.length());
            out.append(next).append(text);
            next = separator;
        }
        return out.toString();
    }

    private static List<String> anyOf(List<@Nullable Object> args) {
        return arg(args, 0) instanceof List<?> list
                ? list.stream().map(String::valueOf).toList()
                : List.of(string(args, 0));
    }

    static String string(List<@Nullable Object> args, int index) {
        if (arg(args, index) instanceof CharSequence text) {
            return text.toString();
        }
        throw new IllegalStateException("argument " + (index + 1) + " must be a string");
    }

    private static @Nullable Object arg(List<@Nullable Object> args, int index) {
        return index < args.size() ? args.get(index) : null;
    }

    private static IllegalStateException unknown(String method) {
        return new IllegalStateException("templates may not call the method '" + method + "'");
    }
}
