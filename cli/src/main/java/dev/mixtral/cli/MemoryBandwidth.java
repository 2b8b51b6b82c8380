package dev.mixtral.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Measures how fast this machine's cores read memory: the roof under which a decode step, which reads every active
/// weight once, has to stay.
final class MemoryBandwidth {
    /// Far beyond any cache's share of one core.
    private static final long BYTES_PER_THREAD = 256L << 20;

    private static final int ROUNDS = 4;

    private MemoryBandwidth() {}

    /// Returns bytes per second of all threads together, the best of a few rounds.
    static double measure(int threads) throws InterruptedException {
        try (Arena arena = Arena.ofShared();
                ExecutorService executor = Executors.newFixedThreadPool(
                        threads, Thread.ofPlatform().name("bandwidth-", 0).factory())) {
            List<Callable<Long>> tasks = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                MemorySegment memory = arena.allocate(BYTES_PER_THREAD, 64);
                tasks.add(() -> sum(memory));
            }
            double best = 0;
            for (int round = 0; round < ROUNDS; round++) {
                long start = System.nanoTime();
                for (Future<Long> future : executor.invokeAll(tasks)) {
                    future.get();
                }
                best = Math.max(best, threads * (double) BYTES_PER_THREAD / (System.nanoTime() - start) * 1e9);
            }
            return best;
        } catch (ExecutionException e) {
            throw new IllegalStateException("reading memory failed", e.getCause());
        }
    }

    /// Several sums at once, as one alone would wait for its own additions.
    private static long sum(MemorySegment memory) {
        long a = 0;
        long b = 0;
        long c = 0;
        long d = 0;
        for (long i = 0; i < BYTES_PER_THREAD; i += 32) {
            a += memory.get(ValueLayout.JAVA_LONG, i);
            b += memory.get(ValueLayout.JAVA_LONG, i + 8);
            c += memory.get(ValueLayout.JAVA_LONG, i + 16);
            d += memory.get(ValueLayout.JAVA_LONG, i + 24);
        }
        return a + b + c + d;
    }
}
