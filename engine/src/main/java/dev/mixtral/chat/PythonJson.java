package dev.mixtral.chat;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Writes JSON exactly as Python's `json.dumps(value, ensure_ascii=False)` does; half a surrogate pair, which that
/// passes on and UTF-8 has no form of, stays escaped.
///
/// Mistral's models saw tools, calls and results in this form, so that another spelling of the same value (no space
/// after a colon, `1.0E10` for `10000000000.0`) would be other tokens than those of the training.
public final class PythonJson {
    /// The indent of [#dumps(JsonNode, int)] that stands for one line.
    public static final int COMPACT = -1;

    private final StringBuilder out = new StringBuilder();
    private final int indent;

    private PythonJson(int indent) {
        this.indent = indent;
    }

    /// Returns the text of a value: separators `", "` and `": "`, keys in the order given, floats as Python's `repr`.
    public static String dumps(JsonNode value) {
        return dumps(value, COMPACT);
    }

    /// Same with Python's `indent`: one element a line, each level by so many spaces further in.
    public static String dumps(JsonNode value, int indent) {
        PythonJson writer = new PythonJson(indent);
        writer.write(value, 0);
        return writer.out.toString();
    }

    private void write(JsonNode value, int level) {
        switch (value.getNodeType()) {
            case OBJECT -> writeObject(value, level);
            case ARRAY -> writeArray(value, level);
            case STRING -> writeString(value.stringValue());
            case NUMBER -> out.append(number(value));
            case BOOLEAN -> out.append(value.booleanValue());
            case NULL -> out.append("null");
            case BINARY, MISSING, POJO ->
                throw new IllegalArgumentException("a " + value.getNodeType() + " node has no JSON text");
        }
    }

    private void writeObject(JsonNode value, int level) {
        out.append('{');
        boolean isFirst = true;
        for (Map.Entry<String, JsonNode> entry : value.properties()) {
            separate(isFirst, level + 1);
            writeString(entry.getKey());
            out.append(": ");
            write(entry.getValue(), level + 1);
            isFirst = false;
        }
        close(value, level).append('}');
    }

    private void writeArray(JsonNode value, int level) {
        out.append('[');
        boolean isFirst = true;
        for (JsonNode element : value) {
            separate(isFirst, level + 1);
            write(element, level + 1);
            isFirst = false;
        }
        close(value, level).append(']');
    }

    private void separate(boolean isFirst, int level) {
        if (indent == COMPACT) {
            out.append(isFirst ? "" : ", ");
        } else {
            out.append(isFirst ? "\n" : ",\n").repeat(' ', indent * level);
        }
    }

    private StringBuilder close(JsonNode container, int level) {
        return indent == COMPACT || container.isEmpty() ? out : out.append('\n').repeat(' ', indent * level);
    }

    private void writeString(String text) {
        out.append('"');
        text.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\f' -> out.append("\\f");
                case '\b' -> out.append("\\b");
                default -> {
                    // Python cannot encode half a surrogate pair; a tokenizer would make something else of it.
                    if (c < ' ' || Character.getType(c) == Character.SURROGATE) {
                        out.append("\\u%04x".formatted(c));
                    } else {
                        out.appendCodePoint(c);
                    }
                }
            }
        });
        out.append('"');
    }

    private static String number(JsonNode value) {
        return value.isIntegralNumber() ? value.bigIntegerValue().toString() : repr(value.doubleValue());
    }

    /// Returns a float as Python's `repr`: the shortest digits that give the value back, `1e-05`, `1e+16`.
    static String repr(double value) {
        if (Double.isNaN(value)) {
            return "NaN";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "Infinity" : "-Infinity";
        }
        if (value == 0) {
            return 1 / value > 0 ? "0.0" : "-0.0";
        }
        BigDecimal decimal = shortest(Math.abs(value));
        String digits = decimal.unscaledValue().toString();
        int exponent = digits.length() - 1 - decimal.scale();
        return (value < 0 ? "-" : "")
                + (exponent < -4 || exponent >= 16 ? scientific(digits, exponent) : plain(decimal));
    }

    private static String scientific(String digits, int exponent) {
        String fraction = digits.length() == 1 ? "" : "." + digits.substring(1);
        return "%s%se%s%02d".formatted(digits.charAt(0), fraction, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    private static String plain(BigDecimal decimal) {
        String text = decimal.toPlainString();
        return text.indexOf('.') < 0 ? text + ".0" : text;
    }

    /// Java writes at least two digits, and with two chooses the closest: `4.9E-324` where one digit (`5e-324`) does.
    private static BigDecimal shortest(double value) {
        BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        if (decimal.precision() == 2) {
            BigDecimal oneDigit = decimal.round(new MathContext(1, RoundingMode.HALF_EVEN));
            if (oneDigit.doubleValue() == value) {
                return oneDigit.stripTrailingZeros();
            }
        }
        return decimal;
    }
}
