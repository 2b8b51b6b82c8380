package dev.mixtral.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// Turns Ctrl-C and SIGTERM into a request to stop, and holds the end of the process until the run has saved
/// itself, or for some seconds: a step over a large model takes minutes, and nobody waits that long for a
/// program to end.
public final class StopOnExit implements AutoCloseable {
    private static final int GRACE_SECONDS = 3;

    private final CountDownLatch saved = new CountDownLatch(1);
    private final Thread hook;

    private StopOnExit(AtomicBoolean stop, Runnable late) {
        hook = new Thread(
                () -> {
                    stop.set(true);
                    if (!isSavedInTime()) {
                        late.run();
                    }
                },
                "train-stop");
    }

    /// Installs the hook; closing the result lets the process end.
    ///
    /// @param late saves the run beside the step that it is in; called if that takes too long
    public static StopOnExit install(AtomicBoolean stop, Runnable late) {
        StopOnExit installed = new StopOnExit(stop, late);
        Runtime.getRuntime().addShutdownHook(installed.hook);
        return installed;
    }

    private boolean isSavedInTime() {
        try {
            return saved.await(GRACE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
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
