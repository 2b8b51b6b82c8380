package dev.mixtral.engine;

import dev.mixtral.error.EngineClosedException;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/// What other threads want done on the engine's thread, between two steps. Thread-safe; commands run in the order in
/// which they came.
final class CommandQueue {
    /// One wish.
    interface Command {
        /// Does it, on the engine's thread.
        void run();

        /// Is called instead if the engine closes before.
        default void abandon() {}
    }

    private final Thread worker;
    private final Queue<Command> commands = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    /// @param worker the engine's thread, which is woken for every command
    CommandQueue(Thread worker) {
        this.worker = worker;
    }

    boolean isClosed() {
        return closed;
    }

    boolean isEmpty() {
        return commands.isEmpty();
    }

    /// Adds a command that will either run or be abandoned.
    ///
    /// @throws EngineClosedException if the engine is closed
    void post(Command command) {
        synchronized (commands) {
            if (closed) {
                throw new EngineClosedException();
            }
            commands.add(command);
        }
        LockSupport.unpark(worker);
    }

    /// Adds a command that means nothing to a closed engine.
    void tell(Runnable action) {
        if (!closed) {
            commands.add(action::run);
            LockSupport.unpark(worker);
        }
    }

    /// Runs something on the engine's thread, which may use the model then, and waits for it.
    ///
    /// @throws EngineClosedException if the engine closes before
    <T> T call(Callable<T> callable) {
        CompletableFuture<T> result = new CompletableFuture<>();
        post(new Command() {
            @Override
            public void run() {
                try {
                    result.complete(callable.call());
                } catch (Exception | Error e) {
                    result.completeExceptionally(e);
                }
            }

            @Override
            public void abandon() {
                result.completeExceptionally(new EngineClosedException());
            }
        });
        try {
            return result.join();
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    /// Runs what there is.
    void runAll() {
        for (Command command = commands.poll(); command != null; command = commands.poll()) {
            command.run();
        }
    }

    /// Abandons what there is, after the queue was closed.
    void abandonAll() {
        for (Command command = commands.poll(); command != null; command = commands.poll()) {
            command.abandon();
        }
    }

    /// Refuses commands from now on, and wakes the engine's thread.
    void close() {
        synchronized (commands) {
            closed = true;
        }
        LockSupport.unpark(worker);
    }
}
