package dev.mixtral.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// Turns Ctrl-C and SIGTERM into a request to stop, and holds the end of the process until the run has saved itself.
public final class StopOnExit implements AutoCloseable {
    private static final int GRACE_SECONDS = 60;

    private final CountDownLatch saved = new CountDownLatch(1);
    private final Thread hook;

    private StopOnExit(AtomicBoolean stop) {
        hook = new Thread(
                () -> {
                    stop.set(true);
                    awaitSaved();
                },
                "train-stop");
    }

    /// Installs the hook; closing the result lets the process end.
    public static StopOnExit install(AtomicBoolean stop) {
        StopOnExit installed = new StopOnExit(stop);
        Runtime.getRuntime().addShutdownHook(installed.hook);
        return installed;
    }

    private void awaitSaved() {
        try {
            if (!saved.await(GRACE_SECONDS, TimeUnit.SECONDS)) {
                System.getLogger(StopOnExit.class.getName())
                        .log(System.Logger.Level.WARNING, "the run did not save itself in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        saved.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException _) {
            // The process is ending already, which is what the hook was for.
        }
    }
}
