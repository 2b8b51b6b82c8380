package dev.mixtral.format.io;

import dev.mixtral.error.ModelFormatException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// JSON (RFC 8259) without leniency: duplicate keys, trailing text, deep nesting and invalid UTF-8 are errors.
public final class StrictJson {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final JsonMapper MAPPER = JsonMapper.builder(FACTORY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private StrictJson() {}

    /// Reads a file that holds one JSON object.
    ///
    /// @throws ModelFormatException if the file is too long or no such object
    public static JsonObject readObject(Path file) {
        return parseObject(file.toString(), StrictText.read(file));
    }

    /// Parses one JSON object.
    ///
    /// @param file where the text comes from, for messages
    /// @throws ModelFormatException if the text is no such object
    public static JsonObject parseObject(String file, String text) {
        JsonNode node;
        try {
            node = MAPPER.readTree(text);
        } catch (JacksonException e) {
            throw broken(file, e);
        }
        if (!node.isObject()) {
            throw new ModelFormatException(file, "a JSON object expected, got " + JsonObject.describe(node));
        }
        return new JsonObject(file, "", node);
    }

    /// Returns a streaming parser, for objects too large to hold as a tree. Its own exceptions are
    /// [JacksonException]s: see [#broken].
    public static JsonParser parser(String text) {
        return FACTORY.createParser(ObjectReadContext.empty(), text);
    }

    /// Returns the failure of a parser as one that names the file.
    public static ModelFormatException broken(String file, JacksonException e) {
        @Nullable String message = e.getOriginalMessage();
        String where = e.getLocation() == null
                ? ""
                : " at line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr();
        return new ModelFormatException(file, "invalid JSON" + where + ": " + message, e);
    }
}
