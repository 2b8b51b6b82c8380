package dev.mixtral.server.batch;

import dev.mixtral.server.ApiKey;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.ServerApi;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Keeps files and batches in a folder, and runs the batches, one after the other. Thread-safe.
///
/// Batches that a server did not finish are gone on with by the next. Half of the engine's sequences at most are for
/// batches, and they wait in line under a name of their own, so that whoever waits in person goes first.
final class BatchService implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(BatchService.class.getName());
    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

    private final ServerConfig config;
    private final ServerApi api;
    private final FileChannel lock;
    private final FileStore files;
    private final BatchStore batches;
    private final BlockingQueue<Optional<StoredBatch>> queue = new LinkedBlockingQueue<>();
    private final Thread worker = Thread.ofVirtual().name("batches").unstarted(this::work);
    private volatile boolean stopped;
    private @Nullable Running running;

    /// The batch that is being run.
    private record Running(StoredBatch batch, BatchRunner runner) {}

    private BatchService(ServerConfig config, ServerApi api, FileChannel lock, Path folder) throws IOException {
        this.config = config;
        this.api = api;
        this.lock = lock;
        this.files = FileStore.open(folder.resolve("files"));
        this.batches = BatchStore.open(folder.resolve("batches"));
        batches.unfinished().forEach(batch -> queue.add(Optional.of(batch)));
    }

    /// Opens a folder, which is made if it is not there, and begins to work once the API is ready.
    ///
    /// @throws IOException if it cannot be used, or another server uses it
    static BatchService open(ServerConfig config, ServerApi api) throws IOException {
        Path folder = Path.of(config.dataDir());
        Files.createDirectories(folder);
        FileChannel lock =
                FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (!isLocked(lock)) {
                throw new IOException("another server uses the data folder " + folder + ". Give each its own.");
            }
            BatchService service = new BatchService(config, api, lock, folder);
            service.worker.start();
            return service;
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    FileStore files() {
        return files;
    }

    BatchStore batches() {
        return batches;
    }

    /// Makes a batch and puts it in line.
    StoredBatch create(StoredFile input, String endpoint, JsonNode metadata) throws IOException {
        StoredBatch batch = batches.create(input.owner(), endpoint, input.id(), metadata);
        queue.add(Optional.of(batch));
        return batch;
    }

    /// Ends a batch, soon; what is done of it is kept.
    void cancel(StoredBatch batch) throws IOException {
        batch.moveTo(BatchStatus.CANCELLING);
        // Its turn may be hours away.
        if (queue.remove(Optional.of(batch))) {
            process(batch, BatchService::runNothing);
            return;
        }
        synchronized (this) {
            if (running != null && running.batch() == batch) {
                running.runner().cancel();
            }
        }
    }

    /// Returns whether a batch that has not ended needs a file.
    boolean isInUse(StoredFile file) {
        return batches.unfinished().stream()
                .anyMatch(batch -> batch.inputFileId().equals(file.id()));
    }

    private void work() {
        try {
            while (!stopped) {
                Optional<StoredBatch> next = queue.take();
                while (!stopped && api.state() == ServerApi.State.LOADING) {
                    Thread.sleep(POLL);
                }
                if (next.isPresent() && !stopped) {
                    process(next.get(), this::run);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Answers what is not done of a batch.
    private interface Action {
        /// @return whether all is done
        boolean run(StoredBatch batch, BatchInput input, BatchJournal journal) throws IOException;
    }

    private static boolean runNothing(StoredBatch batch, BatchInput input, BatchJournal journal) {
        return false;
    }

    private void process(StoredBatch batch, Action action) {
        try {
            Optional<StoredFile> file = files.find(batch.inputFileId(), batch.owner());
            if (file.isEmpty()) {
                batch.fail("file_not_found", "The input file " + batch.inputFileId() + " is not there any more.");
            } else {
                process(batch, files.path(file.get()), action);
            }
            if (batch.status().isFinal()) {
                Files.deleteIfExists(batches.journal(batch));
            }
        } catch (IOException | RuntimeException e) {
            // Left as it is: the next start of the server tries again.
            LOG.log(System.Logger.Level.ERROR, batch.id() + " stopped, and will be tried again at the next start", e);
        }
    }

    private void process(StoredBatch batch, Path path, Action action) throws IOException {
        try (BatchInput input = BatchInput.open(path, config.maxBodyBytes())) {
            if (input.numLines() == 0) {
                batch.fail("empty_file", "The input file has no requests; expected one JSON object a line.");
                return;
            }
            try (BatchJournal journal = BatchJournal.open(batches.journal(batch), input, "")) {
                end(batch, input, journal, action.run(batch, input, journal));
            }
        } catch (BatchException e) {
            batch.fail("invalid_file", String.valueOf(e.getMessage()));
        }
    }

    /// Returns on whose behalf a batch runs, if its key is still good.
    private Optional<BatchCaller.Client> client(StoredBatch batch) {
        String name = "batch:" + batch.owner();
        if (batch.owner().isEmpty() && config.apiKeys().isEmpty()) {
            return Optional.of(new BatchCaller.Client(name, null));
        }
        return config.apiKeys().stream()
                .filter(key -> key.name().equals(batch.owner()))
                .findFirst()
                .map(key -> new BatchCaller.Client(name, new ApiKey(name, key.secret(), key.models())));
    }

    private boolean run(StoredBatch batch, BatchInput input, BatchJournal journal) throws IOException {
        Optional<BatchCaller.Client> client = client(batch);
        if (client.isEmpty()) {
            batch.fail("invalid_api_key", "The API key that the batch was made with is not accepted any more.");
            return false;
        }
        int maxConcurrent = Math.max(1, config.engine().maxNumSeqs() / 2);
        BatchRunner runner = new BatchRunner(
                input, journal, new BatchCaller(api, client.get()), maxConcurrent, batch.endpoint(), batch::count);
        Thread clock = Thread.ofVirtual().name("batch-clock").unstarted(() -> expire(batch, runner));
        synchronized (this) {
            running = new Running(batch, runner);
        }
        clock.start();
        try {
            // Whoever cancels or stops either finds the runner, or is seen here.
            if (stopped || !batch.moveTo(BatchStatus.IN_PROGRESS) || isExpired(batch)) {
                runner.cancel();
            }
            return runner.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            clock.interrupt();
            synchronized (this) {
                running = null;
            }
        }
    }

    private static boolean isExpired(StoredBatch batch) {
        return System.currentTimeMillis() / 1000 >= batch.expiresAt();
    }

    private static void expire(StoredBatch batch, BatchRunner runner) {
        try {
            while (!isExpired(batch)) {
                Thread.sleep(Duration.ofSeconds(1));
            }
            runner.cancel();
        } catch (InterruptedException e) {
            // The batch has ended first.
            Thread.currentThread().interrupt();
        }
    }

    private void end(StoredBatch batch, BatchInput input, BatchJournal journal, boolean complete) throws IOException {
        if (complete && batch.moveTo(BatchStatus.FINALIZING)) {
            makeFiles(batch, journal);
            batch.moveTo(BatchStatus.COMPLETED);
        } else if (batch.status() == BatchStatus.CANCELLING) {
            makeFiles(batch, journal);
            batch.moveTo(BatchStatus.CANCELLED);
        } else if (!stopped && !batch.status().isFinal() && isExpired(batch)) {
            BatchLeftovers.append(
                    input,
                    journal,
                    "batch_expired",
                    "this request could not be run before the batch's completion window was over");
            batch.count(new BatchCounts(input.numLines(), journal.numDone(), journal.numSucceeded(), 0, 0));
            makeFiles(batch, journal);
            batch.moveTo(BatchStatus.EXPIRED);
        }
    }

    private void makeFiles(StoredBatch batch, BatchJournal journal) throws IOException {
        boolean hasOutput = journal.numSucceeded() > 0;
        boolean hasErrors = journal.numSucceeded() < journal.numDone();
        if (hasOutput) {
            files.put(
                    batch.outputFileId(),
                    batch.owner(),
                    batch.id() + "_output.jsonl",
                    "batch_output",
                    out -> journal.writeOutput(out, BatchResult::isSuccess));
        }
        if (hasErrors) {
            files.put(
                    batch.errorFileId(),
                    batch.owner(),
                    batch.id() + "_error.jsonl",
                    "batch_output",
                    out -> journal.writeOutput(out, text -> !BatchResult.isSuccess(text)));
        }
        batch.hasFiles(hasOutput, hasErrors);
    }

    /// Begins no more requests; those that run are finished.
    void stop() {
        stopped = true;
        synchronized (this) {
            if (running != null) {
                running.runner().stop();
            }
        }
    }

    /// Ends everything; what is not done is left to the next start.
    @Override
    public void close() throws IOException {
        stop();
        synchronized (this) {
            if (running != null) {
                running.runner().cancel();
            }
        }
        // Wakes the worker if it waits for a batch.
        queue.add(Optional.empty());
        try {
            if (!worker.join(CLOSE_TIMEOUT)) {
                LOG.log(System.Logger.Level.WARNING, "a batch did not stop within " + CLOSE_TIMEOUT.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        lock.close();
    }
}
