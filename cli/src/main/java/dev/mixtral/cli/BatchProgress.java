package dev.mixtral.cli;

import dev.mixtral.server.batch.BatchCounts;
import java.util.Locale;

/// A bar that a terminal shows while a batch runs; nothing where nobody looks. Confined to one thread.
final class BatchProgress {
    private static final long INTERVAL_NANOS = 200_000_000;
    private static final int BAR_WIDTH = 24;

    private final Terminal terminal;
    private long startNanos;
    private long shownNanos;

    BatchProgress(Terminal terminal) {
        this.terminal = terminal;
    }

    /// Shows a state; the clock starts with the first.
    void show(BatchCounts counts) {
        long now = System.nanoTime();
        if (startNanos == 0) {
            startNanos = now;
        }
        boolean isDue = shownNanos == 0 || now - shownNanos >= INTERVAL_NANOS;
        if (terminal.errorIsTerminal() && isDue) {
            shownNanos = now;
            // Carriage return, then "erase to the end of the line" of ANSI X3.64.
            terminal.err().print("\r\u001b[K" + line(counts, (now - startNanos) / 1e9));
            terminal.err().flush();
        }
    }

    /// Removes the bar.
    void clear() {
        if (terminal.errorIsTerminal()) {
            terminal.err().print("\r\u001b[K");
            terminal.err().flush();
        }
    }

    /// Returns the bar's text.
    ///
    /// @param seconds since the start
    static String line(BatchCounts counts, double seconds) {
        int filled = (int) ((long) BAR_WIDTH * counts.done() / counts.total());
        return String.format(
                Locale.ROOT,
                "[%s%s] %d/%d%s  %.0f tokens/s  %s",
                "#".repeat(filled),
                "-".repeat(BAR_WIDTH - filled),
                counts.done(),
                counts.total(),
                counts.failed() == 0 ? "" : ", " + counts.failed() + " failed",
                counts.numTokens() / Math.max(seconds, 1e-3),
                eta(counts, seconds));
    }

    private static String eta(BatchCounts counts, double seconds) {
        if (counts.doneNow() == 0) {
            return "ETA -";
        }
        long left = Math.round(seconds / counts.doneNow() * (counts.total() - counts.done()));
        return left < 3600
                ? String.format(Locale.ROOT, "ETA %d:%02d", left / 60, left % 60)
                : String.format(Locale.ROOT, "ETA %d:%02d:%02d", left / 3600, left / 60 % 60, left % 60);
    }

    /// Returns what this run did.
    String summary(BatchCounts counts) {
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        return String.format(
                Locale.ROOT,
                "%d requests in %.1f s, %d tokens generated, %.0f tokens/s",
                counts.doneNow(),
                seconds,
                counts.numTokens(),
                counts.numTokens() / seconds);
    }
}
