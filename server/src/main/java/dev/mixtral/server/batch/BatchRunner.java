package dev.mixtral.server.batch;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Runs the lines of an input that its journal does not have yet, several at once.
///
/// [#run] is called once, by the thread that owns input and journal; [#stop] and [#cancel] may come from any thread.
final class BatchRunner {
    private final BatchInput input;
    private final BatchJournal journal;
    private final BatchCaller caller;
    private final int maxConcurrent;
    private final @Nullable String endpoint;
    private final Consumer<BatchCounts> progress;
    private final Set<String> customIds = new HashSet<>();
    private final BlockingQueue<Outcome> outcomes = new LinkedBlockingQueue<>();
    private volatile boolean stopped;
    private int next;
    private int numRunning;
    private int doneNow;
    private long numTokens;

    /// The end of a line's run: a result, or none if it was stopped, or what went wrong.
    private record Outcome(
            Optional<BatchResult> result, @Nullable Throwable failure) {}

    /// @param maxConcurrent requests that run at once
    /// @param endpoint the only one that lines may name, or `null` if each chooses its own
    /// @param progress told how far it is, at the start and whenever results are on disk
    BatchRunner(
            BatchInput input,
            BatchJournal journal,
            BatchCaller caller,
            int maxConcurrent,
            @Nullable String endpoint,
            Consumer<BatchCounts> progress) {
        this.input = input;
        this.journal = journal;
        this.caller = caller;
        this.maxConcurrent = maxConcurrent;
        this.endpoint = endpoint;
        this.progress = progress;
    }

    /// Runs until every line is done, or it is stopped.
    ///
    /// @return whether every line is done
    boolean run() throws IOException, InterruptedException {
        progress.accept(counts());
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                while (start(workers) || numRunning > 0) {
                    record(take());
                }
            } catch (IOException | InterruptedException | RuntimeException | Error e) {
                // Closing the workers waits for them.
                cancel();
                throw e;
            }
        }
        return journal.numDone() == input.numLines();
    }

    /// Begins as many lines as may run; notes those that are no requests.
    ///
    /// @return whether anything is to be waited for
    private boolean start(ExecutorService workers) throws IOException {
        while (!stopped && next < input.numLines() && numRunning < maxConcurrent) {
            BatchLine line = checked(input.read(next++));
            if (journal.isDone(line.number())) {
                continue;
            }
            numRunning++;
            switch (line) {
                case BatchLine.Request request -> workers.execute(() -> outcomes.add(outcome(request)));
                case BatchLine.Unusable bad ->
                    outcomes.add(new Outcome(
                            Optional.of(BatchResult.failed(bad.number(), bad.customId(), bad.code(), bad.message())),
                            null));
            }
        }
        return numRunning > 0;
    }

    /// Refuses names that were there before, and endpoints that are not asked for.
    private BatchLine checked(BatchLine line) {
        if (!(line instanceof BatchLine.Request request)) {
            return line;
        }
        if (!customIds.add(request.customId())) {
            return new BatchLine.Unusable(
                    line.number(),
                    request.customId(),
                    "duplicate_custom_id",
                    "custom_id: a line above has the same one; each request needs its own");
        }
        return endpoint == null || endpoint.equals(request.url())
                ? line
                : new BatchLine.Unusable(
                        line.number(),
                        request.customId(),
                        "mismatched_url",
                        "url: expected the batch's endpoint " + endpoint + ", got " + request.url());
    }

    private Outcome outcome(BatchLine.Request request) {
        try {
            return new Outcome(Optional.ofNullable(caller.call(request)), null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Outcome(Optional.empty(), null);
        } catch (RuntimeException | Error e) {
            return new Outcome(Optional.empty(), e);
        }
    }

    /// Waits for an end, and takes all that have come: they go to disk together.
    private List<Outcome> take() throws InterruptedException {
        List<Outcome> taken = new ArrayList<>();
        taken.add(outcomes.take());
        outcomes.drainTo(taken);
        numRunning -= taken.size();
        return taken;
    }

    private void record(List<Outcome> ended) throws IOException {
        for (Outcome outcome : ended) {
            if (outcome.failure() != null) {
                throw new IllegalStateException("a request of the batch could not be sent", outcome.failure());
            }
        }
        List<BatchResult> results =
                ended.stream().map(Outcome::result).flatMap(Optional::stream).toList();
        if (!results.isEmpty()) {
            journal.append(results);
            doneNow += results.size();
            results.forEach(result -> numTokens += result.numTokens());
            progress.accept(counts());
        }
    }

    private BatchCounts counts() {
        return new BatchCounts(input.numLines(), journal.numDone(), journal.numSucceeded(), doneNow, numTokens);
    }

    /// Begins no more lines; those that run are finished.
    void stop() {
        stopped = true;
        caller.stop();
    }

    /// Begins no more lines, and ends those that run; they are not done.
    void cancel() {
        stopped = true;
        caller.cancel();
    }
}
