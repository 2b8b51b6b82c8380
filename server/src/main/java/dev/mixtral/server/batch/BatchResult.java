package dev.mixtral.server.batch;

import dev.mixtral.server.wire.Json;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What became of a line, in OpenAI's form for batch output. Immutable.
///
/// @param number the line's number in the input
/// @param succeeded whether it was answered with a status of success
/// @param numTokens tokens that were generated for it
/// @param text the line of output, without its end
record BatchResult(int number, boolean succeeded, int numTokens, byte[] text) {
    private static final String RESPONSE = "response";
    private static final String ERROR = "error";

    /// Makes the result of a request that an endpoint answered, be it with an error.
    static BatchResult answered(BatchLine.Request request, int status, String requestId, ObjectNode body) {
        ObjectNode response = Json.object().put("status_code", status).put("request_id", requestId);
        response.set("body", body);
        ObjectNode line = head(request.customId());
        line.set(RESPONSE, response);
        line.set(ERROR, Json.NODES.nullNode());
        int numTokens = body.path("usage").path("completion_tokens").asInt(0);
        return new BatchResult(request.number(), status / 100 == 2, numTokens, Json.bytes(line));
    }

    /// Makes the result of a line that no endpoint saw.
    static BatchResult failed(int number, @Nullable String customId, String code, String message) {
        ObjectNode error = Json.object()
                .put("code", code)
                .put("message", "line " + number + ": " + message)
                .put("line", number);
        ObjectNode line = head(customId);
        line.set(RESPONSE, Json.NODES.nullNode());
        line.set(ERROR, error);
        return new BatchResult(number, false, 0, Json.bytes(line));
    }

    private static ObjectNode head(@Nullable String customId) {
        ObjectNode line = Json.object()
                .put("id", "batch_req_" + UUID.randomUUID().toString().replace("-", ""));
        line.set("custom_id", customId == null ? Json.NODES.nullNode() : Json.NODES.stringNode(customId));
        return line;
    }

    /// Returns whether a line of output tells of success.
    static boolean isSuccess(byte[] text) {
        JsonNode status = Json.parseObject(text).path(RESPONSE).path("status_code");
        return status.isNumber() && status.intValue() / 100 == 2;
    }
}
