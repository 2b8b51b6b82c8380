package dev.mixtral.jinja;

import com.hubspot.jinjava.el.ext.NamedParameter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The functions that templates can call. Public because Jinjava calls them by reflection.
public final class TemplateFunctions {
    private static final int MAX_RANGE = 100_000;

    private static final Map<Character, String> PATTERNS = Map.ofEntries(
            Map.entry('d', "dd"),
            Map.entry('m', "MM"),
            Map.entry('Y', "yyyy"),
            Map.entry('y', "yy"),
            Map.entry('B', "MMMM"),
            Map.entry('b', "MMM"),
            Map.entry('A', "EEEE"),
            Map.entry('a', "EEE"),
            Map.entry('H', "HH"),
            Map.entry('I', "hh"),
            Map.entry('M', "mm"),
            Map.entry('S', "ss"),
            Map.entry('p', "a"),
            Map.entry('j', "DDD"),
            Map.entry('F', "yyyy-MM-dd"),
            Map.entry('T', "HH:mm:ss"));

    private TemplateFunctions() {}

    static List<ELFunctionDefinition> all() {
        Class<?> here = TemplateFunctions.class;
        return List.of(
                new ELFunctionDefinition("", "raise_exception", here, "raise", Object.class),
                new ELFunctionDefinition("", "strftime_now", here, "now", Object.class),
                new ELFunctionDefinition("", "namespace", here, "namespace", Object[].class),
                new ELFunctionDefinition("", "range", here, "range", Object.class, Object[].class));
    }

    /// The template refuses the conversation: the next thing it does ends the rendering.
    public static Object raise(Object message) {
        RenderScope.current().raise(PythonValues.print(message));
        return "";
    }

    /// Returns the time in the format of C's `strftime`.
    public static Object now(Object format) {
        String pattern = PythonValues.print(format);
        ZonedDateTime now = ZonedDateTime.now(RenderScope.current().clock());
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            String field = c == '%' && i + 1 < pattern.length() ? PATTERNS.get(pattern.charAt(i + 1)) : null;
            if (field != null) {
                out.append(now.format(DateTimeFormatter.ofPattern(field, Locale.ENGLISH)));
                i++;
            } else if (pattern.startsWith("%%", i)) {
                out.append('%');
                i++;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    /// Returns a new namespace with named values.
    public static Object namespace(Object... values) {
        Map<String, Object> named = new LinkedHashMap<>();
        for (Object value : values) {
            if (value instanceof NamedParameter parameter && !(parameter.getValue() instanceof TemplateNamespace)) {
                named.put(parameter.getName(), parameter.getValue());
            } else {
                throw new IllegalStateException("namespace takes named values");
            }
        }
        return new TemplateNamespace(named);
    }

    /// Returns numbers as Python's `range`.
    public static Object range(Object first, Object... rest) {
        long start = rest.length == 0 ? 0 : number(first);
        long end = rest.length == 0 ? number(first) : number(rest[0]);
        long step = rest.length > 1 ? number(rest[1]) : 1;
        List<Long> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < end : step < 0 && i > end; i += step) {
            if (numbers.size() == MAX_RANGE) {
                throw new IllegalStateException("range is limited to " + MAX_RANGE + " numbers");
            }
            numbers.add(i);
        }
        return numbers;
    }

    private static long number(Object value) {
        if (value instanceof Number number && Math.abs(number.doubleValue()) < Integer.MAX_VALUE) {
            return number.longValue();
        }
        throw new IllegalStateException("range takes numbers");
    }
}
