package dev.mixtral.chat;

import dev.mixtral.error.InvalidRequestException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// Checks that a tool's parameters are a JSON schema: the rules of the draft-07 meta-schema.
///
/// Source: json-schema.org/draft-07/schema, which mistral-common checks tools against. Formats (`uri`, `regex`) are
/// annotations there and not checked.
final class SchemaCheck {
    private static final Set<String> TYPES =
            Set.of("array", "boolean", "integer", "null", "number", "object", "string");
    private static final List<String> SCHEMAS = List.of(
            "additionalItems", "contains", "additionalProperties", "propertyNames", "if", "then", "else", "not");
    private static final List<String> SCHEMA_MAPS = List.of("definitions", "properties", "patternProperties");
    private static final List<String> SCHEMA_LISTS = List.of("allOf", "anyOf", "oneOf");
    private static final List<String> COUNTS =
            List.of("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties");
    private static final List<String> NUMBERS =
            List.of("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf");
    private static final List<String> STRINGS = List.of(
            "$id",
            "$schema",
            "$ref",
            "$comment",
            "title",
            "description",
            "pattern",
            "format",
            "contentMediaType",
            "contentEncoding");
    private static final List<String> FLAGS = List.of("readOnly", "uniqueItems");
    private static final List<String> LISTS = List.of("examples", "enum");

    private SchemaCheck() {}

    /// @throws InvalidRequestException if the value is no schema; the message names the keyword
    static void check(JsonNode schema, String param) {
        if (schema.isBoolean()) {
            return;
        }
        require(schema.isObject(), param, "is not an object or a boolean");
        for (Map.Entry<String, JsonNode> entry : schema.properties()) {
            checkKeyword(entry.getKey(), entry.getValue(), param + "." + entry.getKey());
        }
    }

    private static void checkKeyword(String keyword, JsonNode value, String param) {
        if (SCHEMAS.contains(keyword)) {
            check(value, param);
        } else if (SCHEMA_MAPS.contains(keyword)) {
            require(value.isObject(), param, "is not an object");
            value.properties().forEach(entry -> check(entry.getValue(), param + "." + entry.getKey()));
        } else if (SCHEMA_LISTS.contains(keyword)) {
            require(value.isArray() && !value.isEmpty(), param, "is not an array with at least one element");
            checkEach(value, param);
        } else if (COUNTS.contains(keyword)) {
            require(isInteger(value) && value.doubleValue() >= 0, param, "is not a non-negative integer");
        } else if (NUMBERS.contains(keyword)) {
            require(value.isNumber(), param, "is not a number");
            require(!keyword.equals("multipleOf") || value.doubleValue() > 0, param, "is not greater than 0");
        } else if (STRINGS.contains(keyword)) {
            require(value.isString(), param, "is not a string");
        } else if (FLAGS.contains(keyword)) {
            require(value.isBoolean(), param, "is not a boolean");
        } else if (LISTS.contains(keyword)) {
            require(value.isArray(), param, "is not an array");
        } else {
            checkMixedKeyword(keyword, value, param);
        }
    }

    private static void checkMixedKeyword(String keyword, JsonNode value, String param) {
        switch (keyword) {
            case "required" -> checkStrings(value, param);
            case "type" -> checkType(value, param);
            case "items" -> {
                if (value.isArray()) {
                    require(!value.isEmpty(), param, "is an empty array");
                    checkEach(value, param);
                } else {
                    check(value, param);
                }
            }
            case "dependencies" -> {
                require(value.isObject(), param, "is not an object");
                value.properties().forEach(entry -> {
                    if (entry.getValue().isArray()) {
                        checkStrings(entry.getValue(), param + "." + entry.getKey());
                    } else {
                        check(entry.getValue(), param + "." + entry.getKey());
                    }
                });
            }
            default -> {}
        }
    }

    private static void checkType(JsonNode value, String param) {
        if (value.isArray()) {
            require(!value.isEmpty(), param, "is an empty array");
            checkStrings(value, param);
            value.forEach(type -> checkType(type, param));
        } else {
            require(value.isString() && TYPES.contains(value.stringValue()), param, "names no JSON type");
        }
    }

    private static void checkStrings(JsonNode value, String param) {
        require(value.isArray(), param, "is not an array");
        Set<String> seen = new HashSet<>();
        for (JsonNode element : value) {
            require(element.isString() && seen.add(element.stringValue()), param, "is not an array of unique strings");
        }
    }

    private static void checkEach(JsonNode array, String param) {
        for (int i = 0; i < array.size(); i++) {
            check(array.get(i), param + "[" + i + "]");
        }
    }

    private static boolean isInteger(JsonNode value) {
        return value.isNumber() && value.doubleValue() == Math.rint(value.doubleValue());
    }

    private static void require(boolean condition, String param, String problem) {
        if (!condition) {
            throw new InvalidRequestException(param, "Invalid tool schema: " + param + " " + problem);
        }
    }
}
