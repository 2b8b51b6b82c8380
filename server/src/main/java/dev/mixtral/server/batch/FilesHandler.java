package dev.mixtral.server.batch;

import dev.mixtral.server.api.Call;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.node.ObjectNode;

/// Answers `/v1/files`. Thread-safe.
final class FilesHandler {
    private static final String PURPOSE = "purpose";
    private static final int MAX_LIMIT = 10_000;
    private static final int MAX_FILENAME = 255;

    private final BatchService service;

    FilesHandler(BatchService service) {
        this.service = service;
    }

    /// `POST /v1/files`.
    void create(Call call) {
        Map<String, Multipart.Part> form = Multipart.parse(
                Objects.requireNonNullElse(call.header("content-type"), ""),
                call.exchange().body());
        Multipart.Part purpose = form.get(PURPOSE);
        Multipart.Part file = form.get("file");
        if (file == null || purpose == null) {
            String missing = file == null ? "file" : PURPOSE;
            throw ApiException.invalid(
                    missing, "missing_required_parameter", "Missing required parameter: '" + missing + "'.");
        }
        if (!purpose.text().equals("batch")) {
            throw ApiException.invalid(
                    PURPOSE, "invalid_value", "Invalid value for 'purpose'. Supported values are: 'batch'.");
        }
        String filename = filename(Objects.requireNonNullElse(file.filename(), "file.jsonl"));
        try {
            StoredFile stored = service.files()
                    .put(
                            "file-" + StoredBatch.newId(),
                            call.keyName(),
                            filename,
                            "batch",
                            out -> out.write(file.content()));
            call.respond(200, stored.toJson());
        } catch (IOException e) {
            throw new UncheckedIOException("a file could not be stored", e);
        }
    }

    /// A name alone, whatever folders the client put before it.
    private static String filename(String given) {
        String name = given.substring(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1);
        return name.length() <= MAX_FILENAME ? name : name.substring(name.length() - MAX_FILENAME);
    }

    /// `GET /v1/files`.
    void list(Call call) {
        String purpose = call.query(PURPOSE);
        List<ObjectNode> files = new ArrayList<>(service.files().list(call.keyName()).stream()
                .filter(file -> purpose == null || purpose.equals(file.purpose()))
                .map(StoredFile::toJson)
                .toList());
        if ("asc".equals(call.query("order"))) {
            Collections.reverse(files);
        }
        call.respond(200, Pages.page(call, files, MAX_LIMIT, MAX_LIMIT));
    }

    /// `GET /v1/files/{id}`.
    void get(Call call) {
        call.respond(200, find(call).toJson());
    }

    /// `GET /v1/files/{id}/content`.
    void content(Call call) {
        Path path = service.files().path(find(call));
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(path);
        } catch (IOException e) {
            throw new UncheckedIOException("a stored file could not be read", e);
        }
        call.respond(200, Map.of("content-type", "application/octet-stream"), bytes);
    }

    /// `DELETE /v1/files/{id}`.
    void delete(Call call) {
        StoredFile file = find(call);
        if (service.isInUse(file)) {
            throw ApiException.invalid(
                    "file_id",
                    "file_in_use",
                    "The file " + file.id() + " is the input of a batch that has not ended. Cancel the batch first.");
        }
        try {
            service.files().delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException("a stored file could not be removed", e);
        }
        call.respond(
                200, Json.object().put("id", file.id()).put("object", "file").put("deleted", true));
    }

    private StoredFile find(Call call) {
        String id = call.parameter("file_id");
        return service.files()
                .find(id, call.keyName())
                .orElseThrow(() -> new ApiException(ApiError.notFound("No such File object: " + id)));
    }
}
