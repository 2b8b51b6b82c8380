package dev.mixtral.server.batch;

import dev.mixtral.server.api.Call;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers `/v1/batches`. Thread-safe.
final class BatchesHandler {
    private static final int DEFAULT_LIMIT = 20;
    private static final int MAX_LIMIT = 100;
    private static final int MAX_METADATA = 16;

    private final BatchService service;

    BatchesHandler(BatchService service) {
        this.service = service;
    }

    /// `POST /v1/batches`.
    void create(Call call) {
        ObjectNode body = call.json();
        String endpoint = string(body, "endpoint");
        if (!BatchLine.ENDPOINTS.contains(endpoint)) {
            throw ApiException.invalid(
                    "endpoint",
                    "invalid_value",
                    "Invalid value for 'endpoint'. Supported values are: " + new TreeSet<>(BatchLine.ENDPOINTS) + ".");
        }
        if (!string(body, "completion_window").equals("24h")) {
            throw ApiException.invalid(
                    "completion_window",
                    "invalid_value",
                    "Invalid value for 'completion_window'. Supported values are: '24h'.");
        }
        String inputId = string(body, "input_file_id");
        StoredFile input = service.files()
                .find(inputId, call.keyName())
                .orElseThrow(() -> ApiException.invalid(
                        "input_file_id", "invalid_value", "Invalid 'input_file_id': there is no file with this id."));
        if (!input.purpose().equals("batch")) {
            throw ApiException.invalid(
                    "input_file_id",
                    "invalid_value",
                    "Invalid 'input_file_id': expected a file of purpose 'batch', got one of '" + input.purpose()
                            + "'.");
        }
        try {
            call.respond(200, service.create(input, endpoint, metadata(body)).toJson());
        } catch (IOException e) {
            throw new UncheckedIOException("a batch could not be stored", e);
        }
    }

    private static String string(ObjectNode body, String name) {
        JsonNode value = body.get(name);
        if (value == null || value.isNull()) {
            throw ApiException.invalid(
                    name, "missing_required_parameter", "Missing required parameter: '" + name + "'.");
        }
        if (!value.isString()) {
            throw ApiException.invalid(name, "invalid_type", "Invalid type for '" + name + "': expected a string.");
        }
        return value.stringValue();
    }

    private static JsonNode metadata(ObjectNode body) {
        JsonNode value = body.get("metadata");
        if (value == null || value.isNull()) {
            return Json.NODES.nullNode();
        }
        boolean isMap = value instanceof ObjectNode object
                && object.size() <= MAX_METADATA
                && object.properties().stream().map(Map.Entry::getValue).allMatch(JsonNode::isString);
        if (!isMap) {
            throw ApiException.invalid(
                    "metadata",
                    "invalid_type",
                    "Invalid type for 'metadata': expected an object of up to " + MAX_METADATA + " strings.");
        }
        return value;
    }

    /// `GET /v1/batches`.
    void list(Call call) {
        call.respond(
                200,
                Pages.page(
                        call,
                        service.batches().list(call.keyName()).stream()
                                .map(StoredBatch::toJson)
                                .toList(),
                        DEFAULT_LIMIT,
                        MAX_LIMIT));
    }

    /// `GET /v1/batches/{id}`.
    void get(Call call) {
        call.respond(200, find(call).toJson());
    }

    /// `POST /v1/batches/{id}/cancel`.
    void cancel(Call call) {
        StoredBatch batch = find(call);
        if (batch.status().isFinal()) {
            throw ApiException.invalid(
                    null,
                    null,
                    "Cannot cancel a batch with status '" + batch.status().word() + "'.");
        }
        try {
            service.cancel(batch);
        } catch (IOException e) {
            throw new UncheckedIOException("a batch could not be stored", e);
        }
        call.respond(200, batch.toJson());
    }

    private StoredBatch find(Call call) {
        String id = call.parameter("batch_id");
        return service.batches()
                .find(id, call.keyName())
                .orElseThrow(() -> new ApiException(ApiError.notFound("No batch found with id '" + id + "'.")));
    }
}
