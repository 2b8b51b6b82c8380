package dev.mixtral.engine;

import dev.mixtral.engine.GenerationEvent.Finished;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A running generation, as its reader sees it: events that arrive from the engine's thread.
///
/// The engine computes ahead of the reader until some hundred events wait; then it goes on when half of them are read,
/// and gives up when they are not read for long. Read by one thread at a time; [#cancel()] and [#close()] may come
/// from any. A generation ends with a [Finished] event, or with an exception to the reader: [EngineFailedException],
/// [EngineClosedException], [OverloadedException] if its turn did not come in time, or [GrammarException] if following
/// its constraint takes more than the limit.
public final class Generation implements Iterable<GenerationEvent>, AutoCloseable {
    /// Events that may wait; one step of the engine may go beyond.
    static final int CAPACITY = 512;

    /// What a reader asks of the engine.
    interface Control {
        /// Ends the generation at the next step.
        void cancel();

        /// Lets the engine go on after it found the buffer full.
        void resume();
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<GenerationEvent> buffer = new ArrayDeque<>();
    private final Control control;
    private int[] ids = new int[16];
    private int numIds;
    private boolean full;
    private boolean closed;
    private boolean ended;
    private @Nullable RuntimeException failure;

    Generation(Control control) {
        this.control = control;
    }

    /// Ends the generation within one step of the engine, with [FinishReason#ABORTED], also while it waits for its
    /// turn.
    public void cancel() {
        control.cancel();
    }

    /// Returns the ids generated so far, the end-of-sequence token included.
    public int[] generatedIds() {
        lock.lock();
        try {
            return Arrays.copyOf(ids, numIds);
        } finally {
            lock.unlock();
        }
    }

    /// Returns the events that have not been read yet; every call returns the same sequence of events.
    ///
    /// `next` waits for the next event. A thread that is interrupted meanwhile cancels the generation, stays
    /// interrupted, and gets the events up to the end.
    @Override
    public Iterator<GenerationEvent> iterator() {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return !hasEnded();
            }

            @Override
            public GenerationEvent next() {
                return awaitEvent();
            }
        };
    }

    private boolean hasEnded() {
        lock.lock();
        try {
            return ended || closed;
        } finally {
            lock.unlock();
        }
    }

    private GenerationEvent awaitEvent() {
        boolean interrupted = false;
        try {
            while (!hasEnded()) {
                try {
                    Optional<GenerationEvent> event = poll(Duration.ofDays(1));
                    if (event.isPresent()) {
                        return event.get();
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                    cancel();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        throw new NoSuchElementException("the generation has ended");
    }

    /// Returns the next event, or empty if none came within the time, or the generation has ended.
    public Optional<GenerationEvent> poll(Duration timeout) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long nanos = TimeUnit.NANOSECONDS.convert(timeout); // for ever, where Duration would overflow
            while (buffer.isEmpty() && failure == null && !ended && !closed && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            return take();
        } finally {
            lock.unlock();
        }
    }

    private Optional<GenerationEvent> take() {
        GenerationEvent event = buffer.pollFirst();
        if (event == null) {
            RuntimeException thrown = failure;
            if (thrown != null && !ended) {
                ended = true;
                throw thrown;
            }
            return Optional.empty();
        }
        ended = event instanceof Finished;
        if (full && buffer.size() <= CAPACITY / 2) {
            full = false;
            control.resume();
        }
        return Optional.of(event);
    }

    /// Takes a token and its events, from the engine's thread.
    ///
    /// @param id the token; negative if there is none
    /// @return whether the reader should be given time: then [Control#resume()] follows
    boolean offer(int id, List<GenerationEvent> events) {
        lock.lock();
        try {
            if (id >= 0) {
                ids = numIds == ids.length ? Arrays.copyOf(ids, 2 * numIds) : ids;
                ids[numIds++] = id;
            }
            if (closed || events.isEmpty()) {
                return false;
            }
            buffer.addAll(events);
            changed.signal();
            boolean isFull = buffer.size() >= CAPACITY && !full;
            full |= isFull;
            return isFull;
        } finally {
            lock.unlock();
        }
    }

    /// Ends the generation with an exception to the reader, after the events before it.
    void fail(RuntimeException e) {
        lock.lock();
        try {
            failure = e;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Ends the generation, if it has not ended, without a further event.
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            buffer.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        control.cancel();
    }
}
