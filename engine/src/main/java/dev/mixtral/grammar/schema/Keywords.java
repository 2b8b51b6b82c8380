package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Reads keywords' values, and says what is wrong with them.
final class Keywords {
    /// Beyond this, a least count is refused: nobody could write so much.
    private static final int MAX_LEAST = 100_000;

    /// Beyond this, a greatest count is no bound: no text is so long.
    private static final int MAX_GREATEST = 1_000_000_000;

    /// Digits that a number may have when it is written without an exponent.
    static final int MAX_DIGITS = 400;

    private Keywords() {}

    static GrammarException wrongType(String expected, JsonNode got) {
        return new GrammarException(
                Reason.INVALID, "", "", "must be " + expected + ", got a JSON " + SchemaDocument.typeName(got));
    }

    static BigDecimal number(JsonNode value) {
        if (!value.isNumber()) {
            throw wrongType("a number", value);
        }
        BigDecimal number = value.decimalValue();
        if (number.precision() + Math.abs((long) number.scale()) > MAX_DIGITS) {
            throw new GrammarException(
                    Reason.UNSUPPORTED, "", "", "has a number of more than " + MAX_DIGITS + " digits");
        }
        return number;
    }

    private static BigDecimal count(JsonNode value) {
        BigDecimal number = value.isNumber() ? value.decimalValue() : number(value);
        boolean whole = number.signum() >= 0
                && (number.scale() <= 0 || number.stripTrailingZeros().scale() <= 0);
        if (!whole) {
            throw new GrammarException(Reason.INVALID, "", "", "must be a whole number of at least 0, got " + value);
        }
        return number;
    }

    /// Returns a least count.
    static int least(JsonNode value) {
        BigDecimal count = count(value);
        if (count.compareTo(BigDecimal.valueOf(MAX_LEAST)) > 0) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "is " + value + "; up to " + MAX_LEAST + " can be enforced");
        }
        return count.intValue();
    }

    /// Returns a greatest count, or `unbounded` if it is beyond all texts.
    static int greatest(JsonNode value, int unbounded) {
        BigDecimal count = count(value);
        return count.compareTo(BigDecimal.valueOf(MAX_GREATEST)) > 0 ? unbounded : count.intValue();
    }

    static String text(JsonNode value) {
        if (!value.isString()) {
            throw wrongType("a string", value);
        }
        return value.stringValue();
    }

    static boolean flag(JsonNode value) {
        if (!value.isBoolean()) {
            throw wrongType("a boolean", value);
        }
        return value.booleanValue();
    }

    static List<String> texts(JsonNode value) {
        if (!value.isArray()) {
            throw wrongType("an array of strings", value);
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode element : value) {
            texts.add(text(element));
        }
        return texts;
    }

    static JsonNode object(JsonNode value) {
        if (!value.isObject()) {
            throw wrongType("an object", value);
        }
        return value;
    }

    static JsonNode nonEmptyArray(JsonNode value) {
        if (!value.isArray() || value.isEmpty()) {
            throw wrongType("an array that is not empty", value);
        }
        return value;
    }
}
