package dev.mixtral.server.batch;

import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.ServerApi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A file of requests and the file of their answers, both as OpenAI's batches have them.
///
/// Until every line is done, results are kept in a journal beside the output (`OUT.partial`), from which a later run
/// goes on; the output then appears whole, in the order of the input. Confined to one thread, but for [#cancel].
public final class BatchFile implements AutoCloseable {
    private final Path output;
    private final Path journalPath;
    private final BatchInput input;
    private final BatchJournal journal;
    private volatile @Nullable BatchRunner runner;
    private volatile boolean cancelled;

    private BatchFile(Path output, Path journalPath, BatchInput input, BatchJournal journal) {
        this.output = output;
        this.journalPath = journalPath;
        this.input = input;
        this.journal = journal;
    }

    /// Opens an input, and an output that is not there or that was begun before.
    ///
    /// @param model name of what answers
    /// @param overwrite whether an output that is there already may be replaced
    /// @throws BatchException if the output is there or being made, or was begun with another input or model
    /// @throws IOException if the input cannot be read, or the journal not be written
    public static BatchFile open(Path input, Path output, String model, boolean overwrite) throws IOException {
        Path journalPath = journalPath(output);
        if (Files.exists(output) && Files.exists(input) && Files.isSameFile(input, output)) {
            throw new BatchException("input and output are the same file, " + input + ". Name another for the output.");
        }
        if (Files.isDirectory(output)) {
            throw new BatchException(output + " is a folder; expected the name of a file for the answers.");
        }
        if (Files.exists(output) && !Files.exists(journalPath) && !overwrite) {
            throw new BatchException(output + " is there already. Choose another name, or --overwrite it.");
        }
        Path folder = output.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new BatchException("there is no folder " + folder + " for the output. Make it first.");
        }
        BatchInput lines = BatchInput.open(input, ServerConfig.builder().build().maxBodyBytes());
        try {
            if (lines.numLines() == 0) {
                throw new BatchException(input + " has no requests; expected one JSON object a line.");
            }
            return new BatchFile(output, journalPath, lines, BatchJournal.open(journalPath, lines, model));
        } catch (IOException | RuntimeException e) {
            lines.close();
            throw e;
        }
    }

    /// Returns where the results lie until all are there.
    public static Path journalPath(Path output) {
        return output.resolveSibling(output.getFileName() + ".partial");
    }

    /// Returns how many lines are done.
    public BatchCounts counts() {
        return new BatchCounts(input.numLines(), journal.numDone(), journal.numSucceeded(), 0, 0);
    }

    /// Returns the bytes of an unfinished line that a sudden end had left in the journal, and that are gone.
    public long numBytesCut() {
        return journal.numBytesCut();
    }

    /// Runs what is not done.
    ///
    /// @param api answers the requests; its models must be ready
    /// @param maxConcurrent requests that run at once
    /// @param progress told at the start, and whenever results are on disk
    /// @return whether every line is done
    public boolean run(ServerApi api, int maxConcurrent, Consumer<BatchCounts> progress)
            throws IOException, InterruptedException {
        BatchCaller caller = new BatchCaller(api, new BatchCaller.Client("batch", null));
        BatchRunner created = new BatchRunner(input, journal, caller, maxConcurrent, null, progress);
        runner = created;
        if (cancelled) {
            created.cancel();
        }
        return created.run();
    }

    /// Ends a run soon. Lines that were being answered will be run again.
    public void cancel() {
        cancelled = true;
        BatchRunner running = runner;
        if (running != null) {
            running.cancel();
        }
    }

    /// Makes the output of the results, and removes the journal.
    public void finish() throws IOException {
        DurableFiles.write(output, out -> journal.writeOutput(out, text -> true));
        Files.deleteIfExists(journalPath);
        DurableFiles.forceFolderOf(journalPath);
    }

    @Override
    public void close() throws IOException {
        journal.close();
        input.close();
    }
}
