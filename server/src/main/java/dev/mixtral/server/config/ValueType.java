package dev.mixtral.server.config;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/// How the values of a setting are written. Immutable.
///
/// A value is written as one text, or, in a list of the configuration file, as several; only [#list()] takes several.
///
/// @param <T> what the values are read into
public final class ValueType<T> {
    private static final int NANO_DIGITS = 9;

    private final String expected;
    private final boolean takesSeveral;
    private final Function<List<String>, T> reader;
    private final Function<T, String> writer;

    private ValueType(
            String expected, boolean takesSeveral, Function<List<String>, T> reader, Function<T, String> writer) {
        this.expected = expected;
        this.takesSeveral = takesSeveral;
        this.reader = reader;
        this.writer = writer;
    }

    /// Any text, without blanks around it.
    static ValueType<String> text(String expected) {
        return single(expected, text -> text, text -> text);
    }

    /// An integer in a range.
    static ValueType<Integer> integer(int min, int max) {
        String range = max == Integer.MAX_VALUE ? "an integer from " + min + " on" : "an integer " + min + " to " + max;
        return single(range, text -> within(Integer.parseInt(text), min, max), String::valueOf);
    }

    private static int within(int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException();
        }
        return value;
    }

    /// `true` or `false`.
    static ValueType<Boolean> bool() {
        return single(
                "true or false",
                text -> switch (text) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw new IllegalArgumentException();
                },
                String::valueOf);
    }

    /// One of some words.
    ///
    /// @param expected says which
    static ValueType<String> choice(String expected, List<String> words) {
        return single(expected, text -> requireOneOf(text, words), text -> text);
    }

    private static String requireOneOf(String text, List<String> known) {
        if (!known.contains(text)) {
            throw new IllegalArgumentException();
        }
        return text;
    }

    /// One of the constants of an enum, in lower case.
    static <E extends Enum<E>> ValueType<E> choice(Class<E> constants) {
        List<E> known = List.of(constants.getEnumConstants());
        List<String> words = known.stream().map(ValueType::word).toList();
        return single(
                "one of " + String.join(", ", words),
                text -> known.get(words.indexOf(requireOneOf(text, words))),
                ValueType::word);
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /// A time in seconds, fractions allowed.
    ///
    /// @param zeroAllowed whether no time at all is a value
    static ValueType<Duration> seconds(boolean zeroAllowed) {
        return single(
                zeroAllowed ? "a number of seconds, 0 or more" : "a number of seconds above 0",
                text -> {
                    long nanos = new BigDecimal(text)
                            .movePointRight(NANO_DIGITS)
                            .setScale(0, RoundingMode.HALF_UP)
                            .longValueExact();
                    if (nanos < 0 || (nanos == 0 && !zeroAllowed)) {
                        throw new IllegalArgumentException();
                    }
                    return Duration.ofNanos(nanos);
                },
                time -> BigDecimal.valueOf(time.toNanos(), NANO_DIGITS)
                        .stripTrailingZeros()
                        .toPlainString());
    }

    /// Several texts: a list in the file, else separated by commas.
    static ValueType<List<String>> list(String expected) {
        return new ValueType<>(expected, true, List::copyOf, texts -> String.join(",", texts));
    }

    private static <T> ValueType<T> single(String expected, Function<String, T> reader, Function<T, String> writer) {
        return new ValueType<>(expected, false, texts -> reader.apply(texts.getFirst()), writer);
    }

    /// Returns what a value looks like, for messages and documentation.
    public String expected() {
        return expected;
    }

    /// Returns whether a value may be written as a list.
    public boolean takesSeveral() {
        return takesSeveral;
    }

    /// Splits the text of a flag or a variable into the texts of a value.
    List<String> split(String text) {
        if (!takesSeveral) {
            return List.of(text.strip());
        }
        List<String> texts = new ArrayList<>();
        Arrays.stream(text.split(",", -1)).map(String::strip).forEach(texts::add);
        texts.removeIf(String::isEmpty);
        return texts;
    }

    /// Reads a value.
    ///
    /// @param texts one, or any number if this type takes several
    /// @throws IllegalArgumentException without a useful message if it is no such value
    T read(List<String> texts) {
        try {
            return reader.apply(texts);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /// Returns the text of a value, as a flag takes it.
    public String write(T value) {
        return writer.apply(value);
    }
}
