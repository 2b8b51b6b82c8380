package dev.mixtral.server.wire;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads and writes JSON. All of it is thread-safe.
public final class Json {
    /// Nesting beyond this is refused: no client needs it, and a stack is finite.
    private static final int MAX_DEPTH = 256;

    private static final int MAX_NUMBER_LENGTH = 200;
    private static final int MAX_STRING_LENGTH = Integer.MAX_VALUE;

    /// Makes nodes.
    public static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(MAX_NUMBER_LENGTH)
                            .maxStringLength(MAX_STRING_LENGTH)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /// Reads a request's body. Of fields with the same name the last one counts, as with OpenAI.
    ///
    /// @throws ApiException if it is not one JSON object in UTF-8, or if a text in it has half a surrogate pair,
    ///     which JSON's escapes can spell and tokenizers cannot; it names the place
    public static ObjectNode parseObject(byte[] body) {
        JsonNode node;
        try {
            node = MAPPER.readTree(body);
        } catch (JacksonException e) {
            throw new ApiException(ApiError.malformed(e.getOriginalMessage()));
        }
        if (node instanceof ObjectNode object) {
            String place = brokenText(object);
            if (place != null) {
                throw notText(place.substring(1));
            }
            return object;
        }
        throw new ApiException(ApiError.malformed(
                body.length == 0 ? "the body is empty" : "expected an object, got " + Fields.kind(node)));
    }

    private static ApiException notText(String place) {
        return ApiException.invalid(
                place,
                "invalid_value",
                "Invalid '" + place + "': expected Unicode text, but got half a surrogate pair, such as \\ud83d alone."
                        + " A text that was cut between UTF-16 units ends so; cut it between characters.");
    }

    /// Returns where a surrogate is no part of a pair, such as `.messages[0].content`; empty for the value itself,
    /// `null` for nowhere. Names of fields have none: the parser refuses them.
    private static @Nullable String brokenText(JsonNode node) {
        if (node.isString()) {
            return isBroken(node.stringValue()) ? "" : null;
        }
        if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                String place = brokenText(node.get(i));
                if (place != null) {
                    return "[" + i + "]" + place;
                }
            }
            return null;
        }
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            String place = brokenText(field.getValue());
            if (place != null) {
                return "." + field.getKey() + place;
            }
        }
        return null;
    }

    private static boolean isBroken(String text) {
        return text.codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE);
    }

    /// Reads a value, or returns nothing if the text is none.
    public static Optional<JsonNode> parse(String text) {
        try {
            JsonNode node = MAPPER.readTree(text);
            return node.isMissingNode() ? Optional.empty() : Optional.of(node);
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    /// Returns the text of a value, in UTF-8.
    public static byte[] bytes(JsonNode node) {
        return MAPPER.writeValueAsBytes(node);
    }

    /// Returns the text of a value.
    public static String text(JsonNode node) {
        return new String(bytes(node), StandardCharsets.UTF_8);
    }

    /// Makes an empty object.
    public static ObjectNode object() {
        return NODES.objectNode();
    }

    /// Makes an empty array.
    public static ArrayNode array() {
        return NODES.arrayNode();
    }
}
