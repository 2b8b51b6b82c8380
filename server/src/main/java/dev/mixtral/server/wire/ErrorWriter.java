package dev.mixtral.server.wire;

import dev.mixtral.server.Dialect;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Writes errors: one body that every dialect's clients find their own part in.
public final class ErrorWriter {
    private ErrorWriter() {}

    /// Returns the body of an error answer.
    ///
    /// @param dialect OpenRouter's clients want a number as the code
    public static ObjectNode body(ApiError error, Dialect dialect) {
        ObjectNode body = Json.object();
        body.set("error", inner(error, dialect));
        if (dialect == Dialect.OPENROUTER) {
            body.set("user_id", Json.NODES.nullNode());
        }
        body.put("object", "error").put("message", error.message()).put("type", error.type());
        put(body, "param", error.param());
        put(body, "code", error.code());
        return body;
    }

    /// Returns the `error` object alone.
    static ObjectNode inner(ApiError error, Dialect dialect) {
        ObjectNode inner = Json.object().put("message", error.message()).put("type", error.type());
        put(inner, "param", error.param());
        if (dialect == Dialect.OPENROUTER) {
            inner.put("code", error.status());
            inner.set("metadata", Json.object().put("error_type", error.openRouterType()));
        } else {
            put(inner, "code", error.code());
        }
        return inner;
    }

    private static void put(ObjectNode node, String name, @Nullable String value) {
        node.set(name, value == null ? Json.NODES.nullNode() : Json.NODES.stringNode(value));
    }
}
