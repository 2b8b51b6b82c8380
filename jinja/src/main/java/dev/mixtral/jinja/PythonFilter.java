package dev.mixtral.jinja;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.AdvancedFilter;
import dev.mixtral.chat.PythonJson;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The filters that templates have, with Python's meaning. One object per name; immutable.
final class PythonFilter implements AdvancedFilter {
    /// Every filter there is.
    static final List<String> NAMES = List.of(
            "abs",
            "capitalize",
            "count",
            "d",
            "default",
            "first",
            "float",
            "indent",
            "int",
            "items",
            "join",
            "last",
            "length",
            "list",
            "lower",
            "map",
            "reject",
            "rejectattr",
            "replace",
            "reverse",
            "safe",
            "select",
            "selectattr",
            "string",
            "title",
            "tojson",
            "trim",
            "unique",
            "upper");

    private static final int MAX_INDENT = 64;

    private final String name;

    PythonFilter(String name) {
        this.name = name;
    }

    @Override
    public String getName() {
        return name;
    }

    /// @param call the value, the interpreter, the positional arguments as an array, the named ones as a map
    @Nullable
    Object apply(List<@Nullable Object> call) {
        List<@Nullable Object> args = call.get(2) instanceof Object[] array ? Arrays.asList(array) : List.of();
        Map<?, ?> named = call.get(3) instanceof Map<?, ?> map ? map : Map.of();
        return apply(call.getFirst(), args, named);
    }

    @Override
    public @Nullable Object filter(
            @Nullable Object value, JinjavaInterpreter interpreter, Object[] args, Map<String, Object> named) {
        return apply(value, Arrays.asList(args), named);
    }

    private @Nullable Object apply(@Nullable Object value, List<@Nullable Object> args, Map<?, ?> named) {
        return switch (name) {
            case "d", "default" -> orDefault(value, args, named);
            case "count", "length" -> value == null ? 0L : length(value);
            case "safe" -> value;
            case "list" -> PythonValues.list(value);
            case "items" -> value == null ? List.of() : PythonMethods.call(value, "items", List.of());
            case "first" -> PythonValues.list(value).stream().findFirst().orElse(null);
            case "last" -> last(PythonValues.list(value));
            case "reverse" -> reversed(value);
            case "unique" -> new ArrayList<>(new LinkedHashSet<>(PythonValues.list(value)));
            case "join" -> PythonMethods.join(argument(args, named, 0, "d", ""), PythonValues.list(value));
            case "map" -> mapped(PythonValues.list(value), args, named);
            case "select" -> selected(PythonValues.list(value), args, true);
            case "reject" -> selected(PythonValues.list(value), args, false);
            case "selectattr" -> selectedByAttribute(PythonValues.list(value), args, true);
            case "rejectattr" -> selectedByAttribute(PythonValues.list(value), args, false);
            case "tojson" -> PythonJson.dumps(PythonValues.toJson(value), indent(args, named));
            case "abs" -> value instanceof Long number ? Math.abs(number) : (Object) Math.abs(number(value));
            case "int" -> (long) number(value);
            case "float" -> number(value);
            default -> ofString(PythonValues.print(value), args, named);
        };
    }

    private Object ofString(String text, List<@Nullable Object> args, Map<?, ?> named) {
        return switch (name) {
            case "string" -> text;
            case "trim" -> PythonMethods.strip(text, args, true, true);
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> PythonMethods.capitalize(text);
            case "title" -> PythonMethods.title(text);
            case "replace" -> PythonMethods.replace(text, PythonMethods.string(args, 0), PythonMethods.string(args, 1));
            case "indent" -> {
                boolean first = PythonValues.isTrue(args.size() > 1 ? args.get(1) : named.get("first"));
                String margin = " ".repeat(width(args.isEmpty() ? named.get("width") : args.getFirst()));
                String rest = PythonMethods.replace(text, "\n", "\n" + margin);
                yield first ? margin + rest : rest;
            }
            default -> throw new IllegalStateException("there is no filter '" + name + "'");
        };
    }

    private static @Nullable Object orDefault(@Nullable Object value, List<@Nullable Object> args, Map<?, ?> named) {
        boolean isStrict =
                args.size() > 1 ? PythonValues.isTrue(args.get(1)) : PythonValues.isTrue(named.get("boolean"));
        boolean isMissing = isStrict ? !PythonValues.isTrue(value) : value == null;
        Object fallback = args.isEmpty() ? named.get("default_value") : args.getFirst();
        return isMissing ? (fallback == null ? "" : fallback) : value;
    }

    private static long length(Object value) {
        return value instanceof CharSequence text
                ? text.toString().codePointCount(0, text.length())
                : value instanceof Map<?, ?> map
                        ? map.size()
                        : PythonValues.list(value).size();
    }

    private static @Nullable Object last(List<?> list) {
        return list.isEmpty() ? null : list.getLast();
    }

    private static Object reversed(@Nullable Object value) {
        if (value instanceof CharSequence text) {
            return new StringBuilder(text).reverse().toString();
        }
        List<Object> list = new ArrayList<>(PythonValues.list(value));
        Collections.reverse(list);
        return list;
    }

    private static List<@Nullable Object> mapped(List<?> list, List<@Nullable Object> args, Map<?, ?> named) {
        List<@Nullable Object> result = new ArrayList<>();
        Object attribute = named.get("attribute");
        for (Object element : list) {
            RenderScope.current().tick();
            result.add(
                    attribute == null
                            ? new PythonFilter(known(PythonMethods.string(args, 0)))
                                    .apply(element, args.subList(1, args.size()), Map.of())
                            : attribute(element, attribute));
        }
        return result;
    }

    private static String known(String filter) {
        if (!NAMES.contains(filter)) {
            throw new IllegalStateException("there is no filter '" + filter + "'");
        }
        return filter;
    }

    private static List<@Nullable Object> selected(List<?> list, List<@Nullable Object> args, boolean wanted) {
        List<@Nullable Object> result = new ArrayList<>();
        for (Object element : list) {
            if (test(element, args) == wanted) {
                result.add(element);
            }
        }
        return result;
    }

    private static List<@Nullable Object> selectedByAttribute(
            List<?> list, List<@Nullable Object> args, boolean wanted) {
        List<@Nullable Object> result = new ArrayList<>();
        for (Object element : list) {
            if (test(attribute(element, PythonMethods.string(args, 0)), args.subList(1, args.size())) == wanted) {
                result.add(element);
            }
        }
        return result;
    }

    private static boolean test(@Nullable Object value, List<@Nullable Object> args) {
        RenderScope.current().tick();
        if (args.isEmpty()) {
            return PythonValues.isTrue(value);
        }
        Object other = args.size() > 1 ? args.get(1) : null;
        return switch (PythonMethods.string(args, 0)) {
            case "equalto", "eq", "==" -> PythonValues.equal(value, other);
            case "ne", "!=" -> !PythonValues.equal(value, other);
            case "in" -> PythonValues.contains(other, value);
            case "defined" -> value != null;
            case "undefined", "none" -> value == null;
            case "string" -> value instanceof CharSequence;
            case "mapping" -> value instanceof Map<?, ?>;
            default -> throw new IllegalStateException("there is no test '" + args.getFirst() + "'");
        };
    }

    private static @Nullable Object attribute(@Nullable Object element, Object attribute) {
        return element instanceof Map<?, ?> map ? map.get(attribute.toString()) : null;
    }

    private static String argument(
            List<@Nullable Object> args, Map<?, ?> named, int index, String key, String fallback) {
        Object value = index < args.size() ? args.get(index) : named.get(key);
        return value == null ? fallback : value.toString();
    }

    private static int indent(List<@Nullable Object> args, Map<?, ?> named) {
        Object indent = args.isEmpty() ? named.get("indent") : args.getFirst();
        return indent == null ? PythonJson.COMPACT : width(indent);
    }

    private static int width(@Nullable Object value) {
        if (value == null) {
            return 4;
        }
        if (value instanceof Number number && number.longValue() >= 0 && number.longValue() <= MAX_INDENT) {
            return number.intValue();
        }
        throw new IllegalStateException("an indent must be a number from 0 to " + MAX_INDENT);
    }

    private static double number(@Nullable Object value) {
        return switch (value) {
            case Number number -> number.doubleValue();
            case CharSequence text when text.length() < 100 -> Double.parseDouble(text.toString());
            case null, default -> throw new IllegalStateException("a number is needed here");
        };
    }
}
