package dev.mixtral.grammar;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.lang.reflect.Field;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The JSON Schemas of Java's types for single values.
final class ScalarSchemas {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /// Java's offsets end at 18 hours and its minutes at 59 seconds.
    private static final String JAVA_TIME = ":[0-5][0-9](?:\\.[0-9]+)?(?:[Zz]|[+-](?:0[0-9]|1[0-7]):[0-5][0-9])$";

    private static final BigDecimal MAX_FLOAT = new BigDecimal(Float.toString(Float.MAX_VALUE));

    private ScalarSchemas() {}

    /// Returns the schema of a type, or empty if it has none.
    static Optional<ObjectNode> find(Class<?> type) {
        if (type.isEnum()) {
            return Optional.of(enumeration(type));
        }
        return Optional.ofNullable(
                switch (type.getName()) {
                    case "boolean", "java.lang.Boolean" -> typed("boolean");
                    case "byte", "java.lang.Byte" -> integer(Byte.MIN_VALUE, Byte.MAX_VALUE);
                    case "short", "java.lang.Short" -> integer(Short.MIN_VALUE, Short.MAX_VALUE);
                    case "int", "java.lang.Integer" -> integer(Integer.MIN_VALUE, Integer.MAX_VALUE);
                    case "long", "java.lang.Long" -> integer(Long.MIN_VALUE, Long.MAX_VALUE);
                    case "float", "java.lang.Float" ->
                        typed("number").put("minimum", MAX_FLOAT.negate()).put("maximum", MAX_FLOAT);
                    case "double", "java.lang.Double" -> typed("number");
                    case "char", "java.lang.Character" -> typed("string").put("pattern", "^[\\u0000-\\uFFFF]$");
                    default -> ofLibrary(type);
                });
    }

    private static @Nullable ObjectNode ofLibrary(Class<?> type) {
        if (type == String.class) {
            return typed("string");
        }
        if (type == BigInteger.class) {
            return typed("integer");
        }
        if (type == BigDecimal.class) {
            return typed("number");
        }
        if (type == LocalDate.class) {
            return typed("string").put("format", "date");
        }
        if (type == OffsetDateTime.class || type == Instant.class) {
            return typed("string").put("format", "date-time").put("pattern", JAVA_TIME);
        }
        if (type == UUID.class) {
            return typed("string").put("format", "uuid");
        }
        if (type == OptionalInt.class) {
            return orNull(integer(Integer.MIN_VALUE, Integer.MAX_VALUE));
        }
        if (type == OptionalLong.class) {
            return orNull(integer(Long.MIN_VALUE, Long.MAX_VALUE));
        }
        return type == OptionalDouble.class ? orNull(typed("number")) : null;
    }

    /// Returns the schema with `null` beside it.
    static ObjectNode orNull(ObjectNode schema) {
        ObjectNode either = JSON.objectNode();
        either.putArray("anyOf").add(schema).addObject().put("type", "null");
        return either;
    }

    private static ObjectNode typed(String type) {
        return JSON.objectNode().put("type", type);
    }

    private static ObjectNode integer(long least, long greatest) {
        return typed("integer").put("minimum", least).put("maximum", greatest);
    }

    private static ObjectNode enumeration(Class<?> type) {
        ObjectNode schema = JSON.objectNode();
        ArrayNode names = schema.putArray("enum");
        for (Field field : type.getFields()) {
            if (field.isEnumConstant()) {
                JsonProperty named = field.getAnnotation(JsonProperty.class);
                names.add(named == null || named.value().isEmpty() ? field.getName() : named.value());
            }
        }
        return schema;
    }
}
