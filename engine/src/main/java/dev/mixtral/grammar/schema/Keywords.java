package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Reads keywords' values, and says what is wrong with them.
final class Keywords {
    /// Beyond this, a least count cannot be generated and a greatest count is none.
    static final int MAX_COUNT = 100_000;

    private Keywords() {}

    static GrammarException wrongType(String expected, JsonNode got) {
        return new GrammarException(
                Reason.INVALID, "", "", "must be " + expected + ", got a JSON " + SchemaDocument.typeName(got));
    }

    static BigDecimal number(JsonNode value) {
        if (!value.isNumber()) {
            throw wrongType("a number", value);
        }
        return value.decimalValue();
    }

    /// Returns a count, or [#MAX_COUNT] plus one if it is greater than that.
    static int count(JsonNode value) {
        BigDecimal number = number(value);
        boolean whole = number.signum() >= 0
                && (number.scale() <= 0 || number.stripTrailingZeros().scale() <= 0);
        if (!whole) {
            throw new GrammarException(Reason.INVALID, "", "", "must be a whole number of at least 0, got " + value);
        }
        return number.compareTo(BigDecimal.valueOf(MAX_COUNT)) > 0 ? MAX_COUNT + 1 : number.intValue();
    }

    static int least(JsonNode value) {
        int count = count(value);
        if (count > MAX_COUNT) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "is " + value + "; up to " + MAX_COUNT + " can be enforced");
        }
        return count;
    }

    /// Returns a greatest count, or `unbounded` if it is beyond what can be counted.
    ///
    /// @throws GrammarException if it is beyond that
    static int greatest(JsonNode value, int unbounded) {
        int count = count(value);
        if (count > MAX_COUNT) {
            // A text so long never fits a context, but "no bound" would be a different schema all the same.
            return unbounded;
        }
        return count;
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
