package dev.mixtral.server.batch;

import dev.mixtral.server.wire.Json;
import tools.jackson.databind.node.ObjectNode;

/// What is known of a stored file. Immutable.
///
/// @param id `file-` and 32 hexadecimal digits
/// @param owner name of the API key it belongs to, empty if there are no keys
/// @param filename what its owner calls it
/// @param purpose `batch` or `batch_output`
/// @param bytes its size
/// @param createdAt seconds since 1970
record StoredFile(String id, String owner, String filename, String purpose, long bytes, long createdAt) {
    private static final String OWNER = "owner";

    /// Returns it in the API's form.
    ObjectNode toJson() {
        ObjectNode json = Json.object()
                .put("id", id)
                .put("object", "file")
                .put("bytes", bytes)
                .put("created_at", createdAt)
                .put("filename", filename)
                .put("purpose", purpose)
                .put("status", "processed");
        json.set("expires_at", Json.NODES.nullNode());
        return json;
    }

    /// Returns it in the form in which it is kept.
    ObjectNode toRecord() {
        return toJson().put(OWNER, owner);
    }

    static StoredFile ofRecord(ObjectNode json) {
        return new StoredFile(
                json.path("id").asString(""),
                json.path(OWNER).asString(""),
                json.path("filename").asString(""),
                json.path("purpose").asString(""),
                json.path("bytes").asLong(0),
                json.path("created_at").asLong(0));
    }
}
