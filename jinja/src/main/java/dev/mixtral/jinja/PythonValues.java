package dev.mixtral.jinja;

import dev.mixtral.chat.PythonJson;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What Python thinks of values: truth, equality, membership, how they print.
final class PythonValues {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private PythonValues() {}

    static boolean isTrue(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean bool -> bool;
            case Number number -> number.doubleValue() != 0;
            case CharSequence text -> !text.isEmpty();
            case Collection<?> collection -> !collection.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            default -> true;
        };
    }

    static boolean equal(@Nullable Object a, @Nullable Object b) {
        if (a instanceof Number x && b instanceof Number y) {
            return decimal(x).compareTo(decimal(y)) == 0;
        }
        if (a instanceof CharSequence x && b instanceof CharSequence y) {
            return x.toString().contentEquals(y);
        }
        return Objects.equals(a, b);
    }

    static boolean contains(@Nullable Object container, @Nullable Object element) {
        return switch (container) {
            case CharSequence text
            when element instanceof CharSequence part -> text.toString().contains(part);
            case Collection<?> collection -> collection.stream().anyMatch(each -> equal(each, element));
            case Map<?, ?> map -> element != null && map.containsKey(element.toString());
            case null, default -> throw new IllegalStateException("'in' needs a string, a list or a dictionary");
        };
    }

    /// Returns the text of a value as `{{ value }}` prints it.
    static String print(@Nullable Object value) {
        return switch (value) {
            case null -> "";
            case CharSequence text -> text.toString();
            case Boolean bool -> bool ? "True" : "False";
            case Collection<?> _, Map<?, ?> _ -> {
                StringBuilder out = new StringBuilder();
                represent(value, out);
                yield out.toString();
            }
            case Number number -> PythonJson.dumps(toJson(number));
            default -> throw new RenderAbort("it prints something that is no value");
        };
    }

    /// Python's `repr` of containers, with single quotes.
    private static void represent(@Nullable Object value, StringBuilder out) {
        RenderScope.current().charge(out.length() > RenderScope.MAX_STRING ? out.length() : 1);
        switch (value) {
            case null -> out.append("None");
            case CharSequence text ->
                out.append('\'').append(escaped(text.toString())).append('\'');
            case Collection<?> collection -> {
                String separator = "[";
                for (Object element : collection) {
                    out.append(separator);
                    represent(element, out);
                    separator = ", ";
                }
                out.append(collection.isEmpty() ? "[]" : "]");
            }
            case Map<?, ?> map -> {
                String separator = "{";
                for (var entry : map.entrySet()) {
                    out.append(separator);
                    represent(entry.getKey(), out);
                    out.append(": ");
                    represent(entry.getValue(), out);
                    separator = ", ";
                }
                out.append(map.isEmpty() ? "{}" : "}");
            }
            default -> out.append(print(value));
        }
    }

    private static String escaped(String text) {
        RenderScope.current().charge(text.length());
        return text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n");
    }

    /// Returns a value as JSON.
    static JsonNode toJson(@Nullable Object value) {
        RenderScope.current().tick();
        return switch (value) {
            case null -> NODES.nullNode();
            case CharSequence text -> {
                RenderScope.current().charge(text.length());
                yield NODES.stringNode(text.toString());
            }
            case Boolean bool -> NODES.booleanNode(bool);
            case Double number -> NODES.numberNode(number);
            case Float number -> NODES.numberNode(number.doubleValue());
            case BigDecimal number -> NODES.numberNode(number.doubleValue());
            case BigInteger number -> NODES.numberNode(number);
            case Number number -> NODES.numberNode(number.longValue());
            case Map<?, ?> map -> {
                ObjectNode object = NODES.objectNode();
                map.forEach((key, element) -> object.set(String.valueOf(key), toJson(element)));
                yield object;
            }
            case Collection<?> collection -> {
                ArrayNode array = NODES.arrayNode();
                collection.forEach(element -> array.add(toJson(element)));
                yield array;
            }
            default -> throw new RenderAbort("it makes JSON of something that is no value");
        };
    }

    static List<?> list(@Nullable Object value) {
        return switch (value) {
            case List<?> list -> list;
            case Collection<?> collection -> List.copyOf(collection);
            case Map<?, ?> map -> List.copyOf(map.keySet());
            case CharSequence text ->
                text.codePoints().mapToObj(Character::toString).toList();
            case null, default -> throw new IllegalStateException("a list is needed here");
        };
    }

    private static BigDecimal decimal(Number number) {
        return new BigDecimal(number.toString());
    }
}
