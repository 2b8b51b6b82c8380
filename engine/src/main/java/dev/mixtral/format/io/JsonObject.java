package dev.mixtral.format.io;

import dev.mixtral.error.Excerpt;
import dev.mixtral.error.ModelFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A JSON object whose members are read by type. A member that is absent or `null` reads as empty; one of another
/// type is a [ModelFormatException] that names file and key.
public final class JsonObject {
    private static final int SHOWN_CHARACTERS = 40;

    private final String file;
    private final String path;
    private final JsonNode node;

    JsonObject(String file, String path, JsonNode node) {
        this.file = file;
        this.path = path;
        this.node = node;
    }

    /// Returns where the object was read from.
    public String file() {
        return file;
    }

    /// Returns the names of the members, those that are `null` included.
    public Set<String> keys() {
        return Set.copyOf(node.propertyNames());
    }

    /// Returns whether a member is present and not `null`.
    public boolean has(String key) {
        return member(key) != null;
    }

    /// Returns whether a member says nothing: absent, `null`, `false`, or empty.
    public boolean isUnset(String key) {
        JsonNode value = member(key);
        return value == null
                || (value.isBoolean() && !value.booleanValue())
                || (value.isString() && value.stringValue().isEmpty())
                || (value.isContainer() && value.isEmpty());
    }

    /// Returns a whole number that fits 32 bits.
    public OptionalInt integer(String key) {
        JsonNode value = member(key);
        return value == null ? OptionalInt.empty() : OptionalInt.of(toInt(path + key, value));
    }

    /// Same, for a member that must be there.
    public int requiredInteger(String key) {
        return integer(key).orElseThrow(() -> new ModelFormatException(file, "`" + path + key + "` is missing"));
    }

    /// Returns a finite number.
    public OptionalDouble number(String key) {
        JsonNode value = member(key);
        if (value == null) {
            return OptionalDouble.empty();
        }
        OptionalDouble number = value.isNumber() ? value.doubleValueOpt() : OptionalDouble.empty();
        if (number.isEmpty() || !Double.isFinite(number.getAsDouble())) {
            throw wrongType(path + key, "a finite number", value);
        }
        return number;
    }

    /// Returns `true` or `false`.
    public Optional<Boolean> bool(String key) {
        JsonNode value = member(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isBoolean()) {
            throw wrongType(path + key, "true or false", value);
        }
        return Optional.of(value.booleanValue());
    }

    /// Returns a string.
    public Optional<String> string(String key) {
        JsonNode value = member(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isString()) {
            throw wrongType(path + key, "a string", value);
        }
        return Optional.of(value.stringValue());
    }

    /// Returns whether a member is a string.
    public boolean isString(String key) {
        JsonNode value = member(key);
        return value != null && value.isString();
    }

    /// Returns whether a member is an object.
    public boolean isObject(String key) {
        JsonNode value = member(key);
        return value != null && value.isObject();
    }

    /// Returns an object.
    public Optional<JsonObject> object(String key) {
        JsonNode value = member(key);
        return value == null ? Optional.empty() : Optional.of(toObject(path + key, value));
    }

    /// Returns an array of objects; empty if absent.
    public List<JsonObject> objects(String key) {
        JsonNode value = member(key);
        List<JsonObject> objects = new ArrayList<>();
        if (value == null) {
            return objects;
        }
        if (!value.isArray()) {
            throw wrongType(path + key, "an array of objects", value);
        }
        for (JsonNode element : value) {
            objects.add(toObject(path + key + "[" + objects.size() + "]", element));
        }
        return objects;
    }

    /// Returns an integer, or all integers of an array; empty if absent.
    public List<Integer> integers(String key) {
        JsonNode value = member(key);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            return List.of(toInt(path + key, value));
        }
        List<Integer> integers = new ArrayList<>();
        for (JsonNode element : value) {
            integers.add(toInt(path + key + "[" + integers.size() + "]", element));
        }
        return integers;
    }

    /// Returns the strings of an array; empty if absent.
    public List<String> strings(String key) {
        JsonNode value = member(key);
        List<String> strings = new ArrayList<>();
        if (value == null) {
            return strings;
        }
        if (!value.isArray()) {
            throw wrongType(path + key, "an array of strings", value);
        }
        for (JsonNode element : value) {
            if (!element.isString()) {
                throw wrongType(path + key + "[" + strings.size() + "]", "a string", element);
            }
            strings.add(element.stringValue());
        }
        return strings;
    }

    private @Nullable JsonNode member(String key) {
        JsonNode value = node.get(key);
        return value == null || value.isNull() ? null : value;
    }

    private int toInt(String key, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrongType(key, "a 32-bit integer", value);
        }
        return value.intValue();
    }

    private JsonObject toObject(String key, JsonNode value) {
        if (!value.isObject()) {
            throw wrongType(key, "an object", value);
        }
        return new JsonObject(file, key + ".", value);
    }

    private ModelFormatException wrongType(String key, String expected, JsonNode value) {
        return new ModelFormatException(file, "`" + key + "`: " + expected + " expected, got " + describe(value));
    }

    static String describe(JsonNode value) {
        if (value.isMissingNode()) {
            return "nothing";
        }
        if (value.isContainer()) {
            return (value.isArray() ? "an array of " : "an object of ") + value.size();
        }
        return Excerpt.of(value.toString(), SHOWN_CHARACTERS);
    }
}
