package dev.mixtral.server.batch;

import dev.mixtral.server.wire.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A batch of the API, kept in a file that follows each change of its status. Thread-safe.
final class StoredBatch {
    private static final long WINDOW_SECONDS = 24 * 3600;
    private static final List<String> TIMES = List.of(
            "in_progress_at",
            "finalizing_at",
            "completed_at",
            "failed_at",
            "expired_at",
            "cancelling_at",
            "cancelled_at");
    private static final String OWNER = "owner";
    private static final String OUTPUT = "future_output_file_id";
    private static final String ERRORS = "future_error_file_id";
    private static final String STATUS = "status";
    private static final String COUNTS = "request_counts";

    private final Path path;
    private final ObjectNode state;

    private StoredBatch(Path path, ObjectNode state) {
        this.path = path;
        this.state = state;
    }

    /// Makes a batch and its file.
    ///
    /// @param owner name of the API key it belongs to, empty if there are no keys
    /// @param metadata the owner's, or JSON null
    static StoredBatch create(Path folder, String owner, String endpoint, String inputFileId, JsonNode metadata)
            throws IOException {
        long now = now();
        String id = "batch_" + newId();
        ObjectNode state = Json.object()
                .put("id", id)
                .put("object", "batch")
                .put("endpoint", endpoint)
                .put("input_file_id", inputFileId)
                .put("completion_window", "24h")
                .put(STATUS, BatchStatus.VALIDATING.word())
                .put("created_at", now)
                .put("expires_at", now + WINDOW_SECONDS);
        for (String name : TIMES) {
            state.set(name, Json.NODES.nullNode());
        }
        for (String name : List.of("errors", "output_file_id", "error_file_id")) {
            state.set(name, Json.NODES.nullNode());
        }
        state.set(COUNTS, counts(0, 0, 0));
        state.set("metadata", metadata);
        // Settled now, so that results that are made again after a sudden end replace the first ones.
        state.put(OWNER, owner).put(OUTPUT, "file-" + newId()).put(ERRORS, "file-" + newId());
        StoredBatch batch = new StoredBatch(folder.resolve(id + ".json"), state);
        batch.save();
        return batch;
    }

    static StoredBatch ofFile(Path path, byte[] text) {
        return new StoredBatch(path, Json.parseObject(text));
    }

    /// Returns 32 hexadecimal digits.
    static String newId() {
        return UUID.randomUUID().toString().replace("-", "");
    }

    private static long now() {
        return System.currentTimeMillis() / 1000;
    }

    private static ObjectNode counts(int total, int completed, int failed) {
        return Json.object().put("total", total).put("completed", completed).put("failed", failed);
    }

    /// Returns it in the API's form.
    synchronized ObjectNode toJson() {
        ObjectNode json = state.deepCopy();
        json.remove(List.of(OWNER, OUTPUT, ERRORS));
        return json;
    }

    private synchronized String text(String name) {
        return state.path(name).asString("");
    }

    String id() {
        return text("id");
    }

    String owner() {
        return text(OWNER);
    }

    String endpoint() {
        return text("endpoint");
    }

    String inputFileId() {
        return text("input_file_id");
    }

    /// Returns the id that the file of answers will have.
    String outputFileId() {
        return text(OUTPUT);
    }

    /// Returns the id that the file of failures will have.
    String errorFileId() {
        return text(ERRORS);
    }

    BatchStatus status() {
        return BatchStatus.ofWord(text(STATUS));
    }

    /// Returns seconds since 1970.
    synchronized long createdAt() {
        return state.path("created_at").asLong(0);
    }

    /// Returns seconds since 1970.
    synchronized long expiresAt() {
        return state.path("expires_at").asLong(0);
    }

    /// Notes how far it is; kept with the next change of status.
    synchronized void count(BatchCounts counts) {
        state.set(COUNTS, counts(counts.total(), counts.succeeded(), counts.failed()));
    }

    /// Changes the status, unless it has one of those that end everything, or is to be cancelled and would go on.
    ///
    /// @return whether it has the status now
    synchronized boolean moveTo(BatchStatus status) throws IOException {
        BatchStatus now = status();
        boolean wouldGoOn = status == BatchStatus.IN_PROGRESS || status == BatchStatus.FINALIZING;
        if (now.isFinal() || (now == BatchStatus.CANCELLING && wouldGoOn)) {
            return now == status;
        }
        if (now != status) {
            state.put(STATUS, status.word()).put(status.word() + "_at", now());
            save();
        }
        return true;
    }

    /// Ends it with the reason why it could not be run.
    synchronized void fail(String code, String message) throws IOException {
        ObjectNode error = Json.object().put("code", code).put("message", message);
        error.set("line", Json.NODES.nullNode());
        error.set("param", Json.NODES.nullNode());
        ArrayNode data = Json.array().add(error);
        ObjectNode errors = Json.object().put("object", "list");
        errors.set("data", data);
        state.set("errors", errors);
        moveTo(BatchStatus.FAILED);
    }

    /// Notes which files of results were made; kept with the next change of status.
    synchronized void hasFiles(boolean output, boolean errors) {
        if (output) {
            state.put("output_file_id", outputFileId());
        }
        if (errors) {
            state.put("error_file_id", errorFileId());
        }
    }

    private void save() throws IOException {
        byte[] text = Json.bytes(state);
        DurableFiles.write(path, out -> out.write(text));
    }
}
