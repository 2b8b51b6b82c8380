package dev.mixtral.server.batch;

import dev.mixtral.error.Excerpt;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.Json;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A line of a file of requests. Immutable, apart from the JSON.
sealed interface BatchLine {
    /// The endpoints that lines may name.
    Set<String> ENDPOINTS = Set.of("/v1/chat/completions", "/v1/completions");

    /// Returns the line's number in the file, from 1.
    int number();

    /// A request.
    ///
    /// @param customId the user's name for it
    /// @param url path of the endpoint
    /// @param body what the endpoint gets
    record Request(int number, String customId, String url, ObjectNode body) implements BatchLine {}

    /// A line that is no request.
    ///
    /// @param customId as far as it could be read
    /// @param code for programs
    /// @param message for people
    record Unusable(int number, @Nullable String customId, String code, String message) implements BatchLine {}

    /// Reads a line.
    static BatchLine parse(int number, byte[] text) {
        ObjectNode line;
        try {
            line = Json.parseObject(text);
        } catch (ApiException e) {
            return new Unusable(number, null, "invalid_json_line", "the line is not one JSON object: " + detail(e));
        }
        String customId = string(line, "custom_id");
        if (customId == null || customId.isEmpty()) {
            return new Unusable(
                    number,
                    null,
                    "missing_custom_id",
                    "custom_id: expected a text that names the request, got " + shown(line.get("custom_id")));
        }
        if (!"POST".equals(string(line, "method"))) {
            return new Unusable(
                    number, customId, "invalid_method", "method: expected \"POST\", got " + shown(line.get("method")));
        }
        String url = string(line, "url");
        if (url == null || !ENDPOINTS.contains(url)) {
            return new Unusable(
                    number,
                    customId,
                    "invalid_url",
                    "url: expected one of " + new TreeSet<>(ENDPOINTS) + ", got " + shown(line.get("url")));
        }
        if (!(line.get("body") instanceof ObjectNode body)) {
            return new Unusable(
                    number, customId, "invalid_body", "body: expected an object, got " + shown(line.get("body")));
        }
        JsonNode stream = body.get("stream");
        if (stream != null && stream.isBoolean() && stream.booleanValue()) {
            return new Unusable(
                    number,
                    customId,
                    "unsupported_stream",
                    "body.stream: an answer in a file cannot be a stream;" + " take it out");
        }
        return new Request(number, customId, url, body);
    }

    private static @Nullable String string(ObjectNode line, String name) {
        JsonNode value = line.get(name);
        return value != null && value.isString() ? value.stringValue() : null;
    }

    /// Parsers' messages are made for the bodies of HTTP requests: what counts is behind the hint.
    private static String detail(ApiException e) {
        String message = String.valueOf(e.getMessage());
        int colon = message.lastIndexOf("not valid JSON: ");
        return colon < 0
                ? message
                : message.substring(colon + "not valid JSON: ".length()).replaceFirst("\\)$", "");
    }

    private static String shown(@Nullable JsonNode value) {
        return value == null ? "nothing" : Excerpt.of(Json.text(value));
    }
}
