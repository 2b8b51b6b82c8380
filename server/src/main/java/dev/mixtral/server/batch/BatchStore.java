package dev.mixtral.server.batch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// The batches of the API: `ID.json` each, and `ID.partial`, the journal, until its end. Thread-safe.
final class BatchStore {
    private final Path folder;
    private final Map<String, StoredBatch> batches = new ConcurrentHashMap<>();

    private BatchStore(Path folder) {
        this.folder = folder;
    }

    /// Opens a folder, which is made if it is not there.
    static BatchStore open(Path folder) throws IOException {
        Files.createDirectories(folder);
        BatchStore store = new BatchStore(folder);
        List<Path> paths;
        try (Stream<Path> listed = Files.list(folder)) {
            paths = listed.toList();
        }
        for (Path path : paths) {
            String name = path.getFileName().toString();
            if (name.matches("batch_[0-9a-f]{32}\\.json")) {
                StoredBatch batch = StoredBatch.ofFile(path, Files.readAllBytes(path));
                store.batches.put(batch.id(), batch);
                if (batch.status().isFinal()) {
                    Files.deleteIfExists(store.journal(batch));
                }
            }
        }
        return store;
    }

    StoredBatch create(String owner, String endpoint, String inputFileId, JsonNode metadata) throws IOException {
        StoredBatch batch = StoredBatch.create(folder, owner, endpoint, inputFileId, metadata);
        batches.put(batch.id(), batch);
        return batch;
    }

    /// Returns where a batch's journal lies.
    Path journal(StoredBatch batch) {
        return folder.resolve(batch.id() + ".partial");
    }

    /// Returns a batch, if it is there and belongs to a client.
    Optional<StoredBatch> find(String id, String owner) {
        return Optional.ofNullable(batches.get(id))
                .filter(batch -> batch.owner().equals(owner));
    }

    /// Returns a client's batches, the newest first.
    List<StoredBatch> list(String owner) {
        return batches.values().stream()
                .filter(batch -> batch.owner().equals(owner))
                .sorted(Comparator.comparingLong(StoredBatch::createdAt)
                        .reversed()
                        .thenComparing(StoredBatch::id))
                .toList();
    }

    /// Returns all that have not ended, the oldest first.
    List<StoredBatch> unfinished() {
        return batches.values().stream()
                .filter(batch -> !batch.status().isFinal())
                .sorted(Comparator.comparingLong(StoredBatch::createdAt).thenComparing(StoredBatch::id))
                .toList();
    }
}
