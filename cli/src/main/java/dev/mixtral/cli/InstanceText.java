package dev.mixtral.cli;

import java.math.BigDecimal;
import java.util.StringJoiner;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.cfg.JsonNodeFeature;
import tools.jackson.databind.json.JsonMapper;

/// Writes JSON values as a model would: compactly, numbers without an exponent where that is reasonable.
final class InstanceText {
    /// Reads numbers digit by digit: `1.10` stays `1.10`.
    static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private static final int MAX_PLAIN_DIGITS = 20;

    private InstanceText() {}

    /// Returns the JSON text of a value that [#MAPPER] read.
    static String of(JsonNode value) {
        if (value.isObject()) {
            StringJoiner members = new StringJoiner(",", "{", "}");
            value.properties()
                    .forEach(member ->
                            members.add(MAPPER.writeValueAsString(member.getKey()) + ":" + of(member.getValue())));
            return members.toString();
        }
        if (value.isArray()) {
            StringJoiner items = new StringJoiner(",", "[", "]");
            value.forEach(item -> items.add(of(item)));
            return items.toString();
        }
        if (!value.isNumber()) {
            return MAPPER.writeValueAsString(value);
        }
        BigDecimal number = value.decimalValue();
        boolean plain = number.scale() <= MAX_PLAIN_DIGITS && number.precision() - number.scale() <= MAX_PLAIN_DIGITS;
        return plain ? number.toPlainString() : number.toString();
    }
}
