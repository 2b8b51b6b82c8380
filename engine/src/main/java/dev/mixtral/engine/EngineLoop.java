package dev.mixtral.engine;

import dev.mixtral.engine.CommandQueue.Command;
import dev.mixtral.error.EngineClosedException;
import dev.mixtral.error.EngineFailedException;
import dev.mixtral.error.OverloadedException;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.scheduler.Scheduler;
import dev.mixtral.scheduler.SchedulerConfig;
import dev.mixtral.scheduler.SchedulerOutput;
import dev.mixtral.scheduler.SchedulerOutput.Chunk;
import dev.mixtral.scheduler.SchedulerRequest;
import dev.mixtral.tensor.FloatMatrix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// The engine's thread, which alone runs the model: step by step, it asks the scheduler what to compute, computes it,
/// draws tokens, and hands events to the readers.
///
/// What other threads want comes as commands, which run between two steps. A step that fails, fails the requests in
/// it; the loop goes on.
final class EngineLoop implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(EngineLoop.class.getName());
    private static final long TICK_NANOS = 20_000_000;
    private static final int MAX_RETRY_SECONDS = 60;

    private final EngineConfig config;
    private final SchedulerConfig limits;
    private final StepRunner runner;
    private final ThreadTeam team;
    private final Map<SchedulerRequest, Sequence> live = new LinkedHashMap<>();
    private final AtomicInteger numLive = new AtomicInteger();
    private final Thread thread = new Thread(this::run, "mixtral-engine");
    private final CommandQueue commands = new CommandQueue(thread);
    private volatile EngineStats stats;
    private volatile double meanSeconds = 1;
    private Scheduler scheduler;
    private long nextTick;
    private long promptTokens;
    private long generatedTokens;
    private long steps;

    /// Starts the thread.
    ///
    /// @param config timeouts and the length of the queue
    /// @param limits blocks, rows and places
    /// @param team draws tokens; not closed by this loop
    EngineLoop(EngineConfig config, SchedulerConfig limits, StepRunner runner, ThreadTeam team) {
        this.config = config;
        this.limits = limits;
        this.runner = runner;
        this.team = team;
        this.scheduler = new Scheduler(limits);
        this.stats = snapshot();
        thread.setDaemon(true);
        thread.start();
    }

    /// Returns the numbers after the last step; who has come since then waits.
    EngineStats stats() {
        EngineStats last = stats;
        return last.withNumWaiting(Math.max(0, numLive.get() - last.numRunning()));
    }

    /// Takes requests, all or none.
    ///
    /// @throws OverloadedException if the queue has no room for them
    /// @throws EngineClosedException if the engine is closed
    void submit(List<Sequence> sequences) {
        synchronized (numLive) {
            int limit = limits.maxNumSeqs() + config.maxWaiting();
            if (!commands.isClosed() && numLive.get() + sequences.size() > limit) {
                throw new OverloadedException(
                        numLive.get() + " requests run or wait already, and at most " + limit
                                + " may. Try again later, or let more requests wait.",
                        retryAfterSeconds());
            }
            commands.post(new Command() {
                @Override
                public void run() {
                    sequences.forEach(EngineLoop.this::add);
                }

                @Override
                public void abandon() {
                    sequences.forEach(sequence -> sequence.generation().fail(new EngineClosedException()));
                }
            });
            numLive.addAndGet(sequences.size());
        }
    }

    private int retryAfterSeconds() {
        return Math.clamp((long) Math.ceil(meanSeconds / limits.maxNumSeqs()), 1, MAX_RETRY_SECONDS);
    }

    /// Runs something between two steps, and waits for it.
    ///
    /// @throws EngineClosedException if the engine closes before
    <T> T call(Callable<T> callable) {
        return commands.call(callable);
    }

    /// Returns how a sequence's reader reaches this loop.
    Generation.Control control(Sequence sequence) {
        return new Generation.Control() {
            @Override
            public void cancel() {
                commands.tell(() -> abort(sequence));
            }

            @Override
            public void resume() {
                commands.tell(() -> pause(sequence, false));
            }
        };
    }

    private void run() {
        while (!commands.isClosed()) {
            try {
                commands.runAll();
                tick();
                boolean busy = step();
                stats = snapshot();
                if (!busy) {
                    await();
                }
            } catch (RuntimeException | Error e) {
                LOG.log(System.Logger.Level.ERROR, "the engine loop failed; it starts afresh", e);
                failAll(new EngineFailedException(e));
                scheduler = new Scheduler(limits);
            }
        }
        commands.abandonAll();
        failAll(new EngineClosedException());
    }

    /// Waits for commands. Whoever posts one unparks this thread, so that none is missed.
    private void await() {
        if (commands.isEmpty() && !commands.isClosed()) {
            if (live.isEmpty()) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, TICK_NANOS);
            }
        }
    }

    /// Computes one step.
    ///
    /// @return whether there was anything to compute
    private boolean step() {
        SchedulerOutput scheduled = scheduler.schedule();
        if (scheduled.isEmpty()) {
            return false;
        }
        List<Sequence> sequences = sequences(scheduled);
        try {
            FloatMatrix logits = runner.run(scheduled, sequences);
            int[] sampled = sample(scheduled, sequences, logits);
            scheduler.update(scheduled, sampled);
            emit(sequences, sampled);
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.ERROR, "a step failed, and with it " + sequences.size() + " requests", e);
            sequences.forEach(sequence -> fail(sequence, new EngineFailedException(e)));
        }
        steps++;
        return true;
    }

    private List<Sequence> sequences(SchedulerOutput scheduled) {
        List<Sequence> sequences = new ArrayList<>(scheduled.chunks().size());
        for (Chunk chunk : scheduled.chunks()) {
            Sequence sequence = live.get(chunk.request());
            if (sequence == null) {
                throw new IllegalStateException("the scheduler runs a request that has ended");
            }
            if (!sequence.isStarted()) {
                promptTokens += chunk.request().numPromptTokens();
                sequence.start();
            }
            sequences.add(sequence);
        }
        return sequences;
    }

    private int[] sample(SchedulerOutput scheduled, List<Sequence> sequences, FloatMatrix logits) {
        int[] sampled = new int[sequences.size()];
        int[] sampling = new int[sequences.size()];
        int n = 0;
        for (int i = 0; i < sampled.length; i++) {
            sampled[i] = Scheduler.NO_TOKEN;
            if (scheduled.chunks().get(i).samples()) {
                sampling[n++] = i;
            }
        }
        team.run(n, (row, _) -> {
            int chunk = sampling[row];
            sampled[chunk] = sequences.get(chunk).sample(logits.data(), logits.offset(row));
        });
        generatedTokens += n;
        return sampled;
    }

    private void emit(List<Sequence> sequences, int[] sampled) {
        for (int i = 0; i < sampled.length; i++) {
            Sequence sequence = sequences.get(i);
            RuntimeException failure = sequence.failure();
            if (failure != null) {
                if (failure instanceof EngineFailedException) {
                    LOG.log(System.Logger.Level.ERROR, "no token could be chosen, and its request failed", failure);
                }
                fail(sequence, failure);
                continue;
            }
            FinishReason reason = sampled[i] == Scheduler.NO_TOKEN ? null : sequence.accept(sampled[i]);
            if (reason != null) {
                sequence.finish(reason);
                end(sequence, true);
            }
            boolean lags = sequence.deliver(sampled[i]);
            if (lags && reason == null) {
                pause(sequence, true);
            }
        }
    }

    private void add(Sequence sequence) {
        live.put(sequence.request(), sequence);
        scheduler.add(sequence.request());
    }

    private void pause(Sequence sequence, boolean paused) {
        sequence.setPaused(paused);
        scheduler.setPaused(sequence.request(), paused);
    }

    /// Ends a sequence that its reader, or time, gave up.
    private void abort(Sequence sequence) {
        if (end(sequence, true)) {
            sequence.finish(FinishReason.ABORTED);
            sequence.deliver(Scheduler.NO_TOKEN);
        }
    }

    private void fail(Sequence sequence, RuntimeException reason) {
        if (end(sequence, false)) {
            sequence.generation().fail(reason);
        }
    }

    /// Takes everything back from a sequence.
    ///
    /// @return whether it had not ended before
    private boolean end(Sequence sequence, boolean keepBlocks) {
        if (live.remove(sequence.request()) == null) {
            return false;
        }
        numLive.decrementAndGet();
        scheduler.finish(sequence.request(), keepBlocks);
        double mean = meanSeconds; // only this thread writes it
        meanSeconds = mean + (sequence.ageNanos() / 1e9 - mean) / 8;
        return true;
    }

    private void failAll(RuntimeException reason) {
        numLive.addAndGet(-live.size());
        live.values().forEach(sequence -> sequence.generation().fail(reason));
        live.clear();
    }

    /// Now and then, ends what waited or stalled for too long.
    private void tick() {
        long now = System.nanoTime();
        if (live.isEmpty() || now - nextTick < 0) {
            return;
        }
        nextTick = now + TICK_NANOS;
        for (Sequence sequence : List.copyOf(live.values())) {
            if (!sequence.isStarted() && isOver(config.queueTimeout(), sequence.ageNanos())) {
                fail(
                        sequence,
                        new OverloadedException(
                                "the request waited for its turn for "
                                        + config.queueTimeout().toSeconds()
                                        + " s, which is the limit. Try again later.",
                                retryAfterSeconds()));
            } else if (isOver(config.stallTimeout(), sequence.stalledNanos())) {
                abort(sequence);
            }
        }
    }

    private static boolean isOver(Duration limit, long nanos) {
        return !limit.isZero() && nanos > TimeUnit.NANOSECONDS.convert(limit);
    }

    private EngineStats snapshot() {
        return new EngineStats(
                scheduler.numRunning(),
                scheduler.numWaiting(),
                limits.numBlocks(),
                limits.numBlocks() - scheduler.blockPool().numFree(),
                promptTokens,
                generatedTokens,
                scheduler.numPrefixQueries(),
                scheduler.numPrefixHits(),
                scheduler.numPreemptions(),
                steps);
    }

    /// Ends what runs with [EngineClosedException], and the thread.
    @Override
    public void close() {
        commands.close();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
