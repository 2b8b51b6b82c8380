package dev.mixtral.server.wire;

import dev.mixtral.error.Excerpt;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The fields of one object of a request, read by type, with OpenAI's words for what is wrong.
///
/// `null` counts as absent; nothing is converted, apart from integers written as `8.0`; unknown fields are nobody's
/// business.
final class Fields {
    private final ObjectNode object;
    private final String path;

    /// @param path where the object lies in the request, empty for the request itself
    Fields(ObjectNode object, String path) {
        this.object = object;
        this.path = path;
    }

    /// Returns the path of a field, such as `messages[0].role`.
    String param(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /// Returns a field's value, or `null` if it is absent.
    @Nullable
    JsonNode get(String name) {
        JsonNode node = object.get(name);
        return node == null || node.isNull() ? null : node;
    }

    boolean has(String name) {
        return get(name) != null;
    }

    @Nullable
    String string(String name) {
        JsonNode node = get(name);
        if (node == null) {
            return null;
        }
        if (!node.isString()) {
            throw wrongType(param(name), "a string", node);
        }
        return node.stringValue();
    }

    String requiredString(String name) {
        String value = string(name);
        if (value == null) {
            throw missing(param(name));
        }
        return value;
    }

    boolean bool(String name, boolean otherwise) {
        JsonNode node = get(name);
        if (node == null) {
            return otherwise;
        }
        if (!node.isBoolean()) {
            throw wrongType(param(name), "a boolean", node);
        }
        return node.booleanValue();
    }

    double decimal(String name, double min, double max, double otherwise) {
        JsonNode node = get(name);
        return node == null ? otherwise : decimal(node, param(name), min, max);
    }

    static double decimal(JsonNode node, String param, double min, double max) {
        if (!node.isNumber()) {
            throw wrongType(param, "a decimal number", node);
        }
        double value = node.doubleValue();
        if (!(value <= max)) {
            throw outOfRange(param, "decimal", true, number(max), number(node));
        }
        if (!(value >= min)) {
            throw outOfRange(param, "decimal", false, number(min), number(node));
        }
        return value;
    }

    int integer(String name, int min, int max, int otherwise) {
        Long value = integer(name, min, (long) max);
        return value == null ? otherwise : (int) (long) value;
    }

    @Nullable
    Long integer(String name, long min, long max) {
        JsonNode node = get(name);
        return node == null ? null : integer(node, param(name), min, max);
    }

    static long integer(JsonNode node, String param, long min, long max) {
        if (!node.isNumber()) {
            throw wrongType(param, "an integer", node);
        }
        double approximate = node.doubleValue();
        if (Double.isInfinite(approximate)) {
            throw outOfRange(
                    param, "integer", approximate > 0, Long.toString(approximate > 0 ? max : min), number(node));
        }
        BigDecimal value = node.decimalValue();
        if (value.stripTrailingZeros().scale() > 0) {
            throw wrongType(param, "an integer", "a decimal number");
        }
        if (value.compareTo(BigDecimal.valueOf(max)) > 0) {
            throw outOfRange(param, "integer", true, Long.toString(max), number(node));
        }
        if (value.compareTo(BigDecimal.valueOf(min)) < 0) {
            throw outOfRange(param, "integer", false, Long.toString(min), number(node));
        }
        return value.longValue();
    }

    @Nullable
    JsonNode array(String name) {
        JsonNode node = get(name);
        if (node != null && !node.isArray()) {
            throw wrongType(param(name), "an array", node);
        }
        return node;
    }

    @Nullable
    Fields object(String name) {
        JsonNode node = get(name);
        return node == null ? null : of(node, param(name));
    }

    /// Returns the fields of a value that must be an object.
    static Fields of(JsonNode node, String param) {
        if (node instanceof ObjectNode fields) {
            return new Fields(fields, param);
        }
        throw wrongType(param, "an object", node);
    }

    /// Returns the object itself.
    ObjectNode node() {
        return object;
    }

    static ApiException missing(String param) {
        return ApiException.invalid(
                param, "missing_required_parameter", "Missing required parameter: '" + param + "'.");
    }

    static ApiException wrongType(String param, String expected, JsonNode got) {
        return wrongType(param, expected, kind(got));
    }

    private static ApiException wrongType(String param, String expected, String got) {
        return ApiException.invalid(
                param,
                "invalid_type",
                "Invalid type for '" + param + "': expected " + expected + ", but got " + got + " instead.");
    }

    static ApiException badValue(String param, String got, Collection<String> supported) {
        return ApiException.invalid(
                param,
                "invalid_value",
                "Invalid value: '" + Excerpt.of(got) + "'. Supported values are: "
                        + supported.stream().map(value -> "'" + value + "'").collect(Collectors.joining(", ")) + ".");
    }

    static ApiException tooLong(String param, int max, int got) {
        return ApiException.invalid(
                param,
                "array_above_max_length",
                "Invalid '" + param + "': array too long. Expected an array with maximum length " + max
                        + ", but got an array with length " + got + " instead.");
    }

    static ApiException empty(String param) {
        return ApiException.invalid(
                param,
                "empty_array",
                "Invalid '" + param
                        + "': empty array. Expected an array with minimum length 1, but got an empty array instead.");
    }

    private static ApiException outOfRange(String param, String type, boolean above, String limit, String got) {
        return ApiException.invalid(
                param,
                type + (above ? "_above_max_value" : "_below_min_value"),
                "Invalid '" + param + "': " + type + (above ? " above maximum" : " below minimum")
                        + " value. Expected a value " + (above ? "<= " : ">= ") + limit + ", but got " + got
                        + " instead.");
    }

    private static String number(JsonNode node) {
        return Excerpt.of(node.isIntegralNumber() ? node.bigIntegerValue().toString() : number(node.doubleValue()));
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    /// Returns what a value is, in OpenAI's words.
    static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case MISSING -> "nothing";
            case NULL -> "null";
            case OBJECT -> "an object";
            case ARRAY -> "an array";
            case STRING -> "a string";
            case NUMBER -> node.isIntegralNumber() ? "an integer" : "a decimal number";
            case BOOLEAN -> "a boolean";
            case BINARY, POJO -> "a " + node.getNodeType().name().toLowerCase(Locale.ROOT);
        };
    }
}
