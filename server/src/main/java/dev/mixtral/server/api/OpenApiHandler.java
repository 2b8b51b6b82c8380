package dev.mixtral.server.api;

import dev.mixtral.server.wire.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Map.Entry;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Describes the API: as an OpenAPI document, and as a page made from it. Thread-safe.
final class OpenApiHandler {
    private static final String RESOURCE = "/dev/mixtral/server/openapi.json";

    private final byte[] document;
    private final byte[] page;

    OpenApiHandler() {
        this.document = read();
        this.page = page(Json.parseObject(document)).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] read() {
        try (InputStream stream = OpenApiHandler.class.getResourceAsStream(RESOURCE)) {
            if (stream == null) {
                throw new IllegalStateException("the program lacks its resource " + RESOURCE);
            }
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read resource " + RESOURCE, e);
        }
    }

    /// `GET /openapi.json`.
    void document(Call call) {
        call.respond(200, Map.of("content-type", "application/json"), document);
    }

    /// `GET /docs`.
    void page(Call call) {
        call.respond(
                200,
                Map.of(
                        "content-type", "text/html; charset=utf-8",
                        "content-security-policy", "default-src 'none'; frame-ancestors 'none'",
                        "x-content-type-options", "nosniff"),
                page);
    }

    private static String page(ObjectNode api) {
        StringBuilder html = new StringBuilder("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">")
                .append("<meta name=\"viewport\" content=\"width=device-width\">")
                .append("<title>mixtral-java API</title><h1>mixtral-java API</h1><p>")
                .append(escaped(api.path("info").path("description").asString("")))
                .append(
                        "</p><p><a href=\"/openapi.json\">openapi.json</a></p><table><thead><tr><th>method<th>path<th>what")
                .append("</thead><tbody>");
        for (Entry<String, JsonNode> path : api.path("paths").properties()) {
            for (Entry<String, JsonNode> operation : path.getValue().properties()) {
                html.append("<tr><td>")
                        .append(escaped(operation.getKey().toUpperCase(Locale.ROOT)))
                        .append("<td><code>")
                        .append(escaped(path.getKey()))
                        .append("</code><td>")
                        .append(escaped(operation.getValue().path("summary").asString("")));
            }
        }
        return html.append("</tbody></table></html>\n").toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
