package dev.mixtral.server.batch;

import dev.mixtral.server.wire.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/// Files that clients gave or may fetch. Thread-safe.
///
/// A file is `ID.data`, and is there once `ID.json`, which describes it, is; both appear whole. Paths are only ever
/// made
/// of ids that this class made.
final class FileStore {
    private static final String DATA = ".data";
    private static final String RECORD = ".json";

    private final Path folder;
    private final Map<String, StoredFile> files = new ConcurrentHashMap<>();

    private FileStore(Path folder) {
        this.folder = folder;
    }

    /// Opens a folder, which is made if it is not there, and removes what a sudden end left half-made.
    static FileStore open(Path folder) throws IOException {
        Files.createDirectories(folder);
        FileStore store = new FileStore(folder);
        for (Path path : list(folder)) {
            if (path.toString().endsWith(RECORD)) {
                StoredFile file = StoredFile.ofRecord(Json.parseObject(Files.readAllBytes(path)));
                store.files.put(file.id(), file);
            }
        }
        for (Path path : list(folder)) {
            String name = path.getFileName().toString();
            boolean isOrphan =
                    name.endsWith(DATA) && !store.files.containsKey(name.substring(0, name.length() - DATA.length()));
            if (name.startsWith("file-") && (isOrphan || name.endsWith(".new"))) {
                Files.delete(path);
            }
        }
        return store;
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.toList();
        }
    }

    /// Stores a file, on disk when it returns; a file of the same id is replaced.
    StoredFile put(String id, String owner, String filename, String purpose, DurableFiles.Content content)
            throws IOException {
        long size = DurableFiles.write(path(id, DATA), content);
        StoredFile file = new StoredFile(id, owner, filename, purpose, size, System.currentTimeMillis() / 1000);
        ObjectNode text = file.toRecord();
        DurableFiles.write(path(id, RECORD), out -> out.write(Json.bytes(text)));
        files.put(id, file);
        return file;
    }

    private Path path(String id, String suffix) {
        return folder.resolve(id + suffix);
    }

    /// Returns where a stored file lies.
    Path path(StoredFile file) {
        return path(file.id(), DATA);
    }

    /// Returns a file, if it is there and belongs to a client.
    Optional<StoredFile> find(String id, String owner) {
        return Optional.ofNullable(files.get(id)).filter(file -> file.owner().equals(owner));
    }

    /// Returns a client's files, the newest first.
    List<StoredFile> list(String owner) {
        return files.values().stream()
                .filter(file -> file.owner().equals(owner))
                .sorted(Comparator.comparingLong(StoredFile::createdAt)
                        .reversed()
                        .thenComparing(StoredFile::id))
                .toList();
    }

    /// Removes a file.
    void delete(StoredFile file) throws IOException {
        files.remove(file.id());
        // Without its description the rest is nobody's.
        Files.deleteIfExists(path(file.id(), RECORD));
        Files.deleteIfExists(path(file.id(), DATA));
        DurableFiles.forceFolderOf(path(file.id(), DATA));
    }
}
