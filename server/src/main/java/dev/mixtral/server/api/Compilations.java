package dev.mixtral.server.api;

import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.CompiledGrammar;
import dev.mixtral.grammar.Grammar;
import dev.mixtral.grammar.GrammarCompiler;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Compiles grammars of requests on threads of its own, so that a costly one holds up neither connections nor the
/// engine, and only few at a time take the processors from it. Thread-safe.
///
/// Every compilation ends by itself: the compiler bounds its work.
final class Compilations {
    private static final int NUM_THREADS = 2;
    private static final int MAX_WAITING = 256;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int RETRY_SECONDS = 5;

    private final ThreadPoolExecutor threads;

    Compilations() {
        threads = new ThreadPoolExecutor(
                NUM_THREADS,
                NUM_THREADS,
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MAX_WAITING),
                // Large enough for schemas that nest as deep as the compiler allows.
                Thread.ofPlatform()
                        .daemon()
                        .name("grammar-", 0)
                        .stackSize(16L << 20)
                        .factory());
        threads.allowCoreThreadTimeOut(true);
    }

    /// Compiles a grammar, or returns what was compiled before.
    ///
    /// @throws GrammarException if it cannot be enforced
    /// @throws ApiException if too many others are being compiled
    CompiledGrammar compile(GrammarCompiler compiler, Grammar grammar) throws InterruptedException {
        Optional<CompiledGrammar> known = compiler.find(grammar);
        if (known.isPresent()) {
            return known.get();
        }
        Future<CompiledGrammar> future;
        try {
            future = threads.submit(() -> compiler.compile(grammar));
        } catch (RejectedExecutionException e) {
            throw busy();
        }
        try {
            return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw busy();
        } catch (ExecutionException e) {
            throw unwrapped(e);
        } finally {
            future.cancel(true);
        }
    }

    private static ApiException busy() {
        return new ApiException(ApiError.unavailable(
                "overloaded", "Too many schemas are being compiled. Try again soon.", RETRY_SECONDS));
    }

    private static RuntimeException unwrapped(ExecutionException failure) {
        return switch (failure.getCause()) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            case null, default -> new IllegalStateException(failure);
        };
    }
}
