package dev.mixtral.format.gguf;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.io.StrictText;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The key–value pairs of a GGUF file, read by type. An absent key reads as empty; a value of another type is a
/// [ModelFormatException] that names file and key. Arrays are copied out. Immutable.
public final class GgufMetadata {
    private final String file;
    private final Map<String, GgufValue> values;

    GgufMetadata(String file, Map<String, GgufValue> values) {
        this.file = file;
        this.values = new LinkedHashMap<>(values);
    }

    /// Returns the file that the values come from, for messages.
    public String file() {
        return file;
    }

    /// Returns all keys, in file order.
    public Set<String> keys() {
        return Collections.unmodifiableSet(values.keySet());
    }

    /// Returns all pairs, in file order; arrays are valid while the file is open.
    public Map<String, GgufValue> values() {
        return Collections.unmodifiableMap(values);
    }

    /// Returns the value of a key as text: arrays as their length and type.
    public Optional<String> shown(String key) {
        GgufValue value = values.get(key);
        if (value == null) {
            return Optional.empty();
        }
        return Optional.of(
                switch (value) {
                    case GgufValue.Int(GgufType type, long number) ->
                        type == GgufType.UINT64 ? Long.toUnsignedString(number) : Long.toString(number);
                    case GgufValue.Real(GgufType type, double number) ->
                        type == GgufType.FLOAT32 ? Float.toString((float) number) : Double.toString(number);
                    case GgufValue.Bool(boolean truth) -> Boolean.toString(truth);
                    case GgufValue.Text text -> text.toString();
                    case GgufValue.Array array -> array.toString();
                });
    }

    /// Returns an integer of any type that is 0 or more and fits 31 bits.
    public OptionalInt integer(String key) {
        return switch (values.get(key)) {
            case null -> OptionalInt.empty();
            case GgufValue.Int number -> OptionalInt.of(toInt(key, number.value()));
            case GgufValue other -> throw wrongType(key, "an integer", other);
        };
    }

    /// Returns a finite number of any type.
    public OptionalDouble number(String key) {
        return switch (values.get(key)) {
            case null -> OptionalDouble.empty();
            case GgufValue.Int number -> OptionalDouble.of((double) number.value());
            case GgufValue.Real number when Double.isFinite(number.value()) -> OptionalDouble.of(number.value());
            case GgufValue other -> throw wrongType(key, "a finite number", other);
        };
    }

    /// Returns a truth value.
    public Optional<Boolean> bool(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case GgufValue.Bool(boolean truth) -> Optional.of(truth);
            case GgufValue other -> throw wrongType(key, "a boolean", other);
        };
    }

    /// Returns a string, which must be UTF-8.
    public Optional<String> string(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case GgufValue.Text(byte[] bytes) -> Optional.of(StrictText.decode(file, "`" + key + "`", bytes));
            case GgufValue other -> throw wrongType(key, "a string", other);
        };
    }

    /// Returns the strings of an array.
    public Optional<byte[][]> strings(String key) {
        return array(key, GgufType.Kind.STRING).map(GgufValue.Array::strings);
    }

    /// Returns the numbers of an array of floating-point numbers.
    public Optional<float[]> floats(String key) {
        return array(key, GgufType.Kind.REAL).map(GgufValue.Array::floats);
    }

    /// Returns the numbers of an array of integers, each 0 or more and of at most 31 bits.
    public Optional<int[]> integers(String key) {
        return array(key, GgufType.Kind.INTEGER).map(array -> {
            long[] wide = array.integers();
            int[] integers = new int[wide.length];
            for (int i = 0; i < wide.length; i++) {
                integers[i] = toInt(key + "[" + i + "]", wide[i]);
            }
            return integers;
        });
    }

    /// Returns whether a key holds an array.
    public boolean isArray(String key) {
        return values.get(key) instanceof GgufValue.Array;
    }

    private Optional<GgufValue.Array> array(String key, GgufType.Kind kind) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case GgufValue.Array array when array.elementType().kind() == kind -> Optional.of(array);
            case GgufValue other -> throw wrongType(key, "an array of " + kind, other);
        };
    }

    private int toInt(String key, long value) {
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw new ModelFormatException(
                    file, "`" + key + "`: 0 to " + Integer.MAX_VALUE + " expected, got " + value, null);
        }
        return (int) value;
    }

    private ModelFormatException wrongType(String key, String expected, @Nullable GgufValue got) {
        return new ModelFormatException(file, "`" + key + "`: " + expected + " expected, got " + got, null);
    }
}
