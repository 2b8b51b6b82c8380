package dev.mixtral.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A fixed team of compute threads that share out the tasks of one phase at a time.
///
/// The caller's thread is member 0. A phase has tasks of one kind, or of two of which the second begins when the
/// first has ended. Members take tasks from a shared counter, so an idle one helps a busy one; between phases they
/// spin for a moment and then park, so a busy machine is not kept busier. Which member runs a task must not matter
/// to its result.
///
/// [#run] is for one caller at a time. Closing ends the threads.
public final class ThreadTeam implements AutoCloseable {
    /// One piece of a phase.
    @FunctionalInterface
    public interface Task {
        /// Runs task number `index` with the working memory of the thread it runs on.
        void run(int index, Scratch scratch);
    }

    // About 20 microseconds: longer than the gap between two phases of a layer, shorter than a scheduler's time
    // slice.
    private static final int SPINS_BEFORE_PARKING = 2_000;

    private final List<Member> members = new ArrayList<>();
    private final Scratch callerScratch = new Scratch();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger numDone = new AtomicInteger();
    private final AtomicInteger working = new AtomicInteger();
    private final AtomicInteger phase = new AtomicInteger();
    private volatile boolean closed;
    private volatile @Nullable Throwable failure;
    private volatile Thread caller = Thread.currentThread();
    private int numFirst;
    private int numTasks;
    private Task first = (index, scratch) -> {};
    private Task then = first;

    /// Starts a team.
    ///
    /// @param numThreads threads that compute, the caller's included; at least 1
    public ThreadTeam(int numThreads) {
        if (numThreads < 1) {
            throw new IllegalArgumentException("numThreads must be at least 1, got " + numThreads);
        }
        for (int i = 1; i < numThreads; i++) {
            Member member = new Member("mixtral-compute-" + i);
            members.add(member);
            member.start();
        }
    }

    /// Returns the number of threads that compute, the caller's included.
    public int numThreads() {
        return members.size() + 1;
    }

    /// Runs tasks `0 .. numTasks - 1` and returns when all are done.
    ///
    /// @throws RuntimeException the first exception of a task, after all members have stopped working
    public void run(int numTasks, Task task) {
        run(numTasks, task, 0, task);
    }

    /// Runs tasks `0 .. numFirst - 1` of one kind, then tasks `0 .. numThen - 1` of another, and returns when all are
    /// done. One phase: members that find no more tasks of the first kind wait for those that still run, no longer.
    ///
    /// @throws RuntimeException the first exception of a task, after all members have stopped working
    public void run(int numFirst, Task first, int numThen, Task then) {
        if (closed) {
            throw new IllegalStateException("the thread team is closed");
        }
        // A single task is not worth waking anybody, nor waiting for who takes it.
        if (numFirst == 1 || numThen == 1 || members.isEmpty()) {
            runAlone(numFirst, first);
            runAlone(numThen, then);
        } else {
            runShared(numFirst, first, numThen, then);
        }
    }

    private void runAlone(int n, Task task) {
        if (n > 1 && !members.isEmpty()) {
            runShared(n, task, 0, task);
            return;
        }
        for (int i = 0; i < n; i++) {
            task.run(i, callerScratch);
        }
    }

    private void runShared(int numFirst, Task first, int numThen, Task then) {
        this.first = first;
        this.then = then;
        this.numFirst = numFirst;
        this.numTasks = numFirst + numThen;
        caller = Thread.currentThread();
        next.set(0);
        numDone.set(0);
        working.set(members.size());
        phase.incrementAndGet(); // publishes the fields above
        members.forEach(Member::wake);
        drain(callerScratch);
        for (int spins = 0; working.get() > 0; spins++) {
            pause(spins, 1_000_000);
        }
        rethrowFailure();
    }

    private void rethrowFailure() {
        Throwable thrown = failure;
        failure = null;
        switch (thrown) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(thrown);
        }
    }

    private void drain(Scratch scratch) {
        try {
            for (int i = next.getAndIncrement(); i < numTasks; i = next.getAndIncrement()) {
                if (i < numFirst) {
                    first.run(i, scratch);
                    numDone.incrementAndGet();
                } else if (awaitFirst()) {
                    then.run(i - numFirst, scratch);
                }
            }
        } catch (RuntimeException | Error e) {
            failure = e;
            next.set(numTasks);
        }
    }

    /// Waits for all tasks of the first kind, and returns whether they ended well.
    private boolean awaitFirst() {
        for (int spins = 0; numDone.get() < numFirst && failure == null; spins++) {
            // Nobody wakes a member here: it looks again soon.
            pause(spins, 50_000);
        }
        return numDone.get() >= numFirst;
    }

    private static void pause(int spins, long nanos) {
        if (spins < SPINS_BEFORE_PARKING) {
            Thread.onSpinWait();
        } else {
            LockSupport.parkNanos(nanos);
        }
    }

    @Override
    public void close() {
        closed = true;
        members.forEach(LockSupport::unpark);
    }

    private final class Member extends Thread {
        private final Scratch scratch = new Scratch();
        private volatile boolean parked;

        Member(String name) {
            super(name);
            setDaemon(true);
        }

        void wake() {
            if (parked) {
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            int seen = 0;
            while (!closed) {
                if (awaitPhaseAfter(seen)) {
                    seen++;
                    drain(scratch);
                    if (working.decrementAndGet() == 0) {
                        LockSupport.unpark(caller);
                    }
                }
            }
        }

        private boolean awaitPhaseAfter(int seen) {
            for (int spins = 0; spins < SPINS_BEFORE_PARKING; spins++) {
                if (phase.get() != seen) {
                    return true;
                }
                Thread.onSpinWait();
            }
            parked = true;
            // Looked at again after announcing the nap: a phase that began in between would not have woken us.
            if (phase.get() == seen && !closed) {
                LockSupport.park(this);
            }
            parked = false;
            return phase.get() != seen;
        }
    }
}
