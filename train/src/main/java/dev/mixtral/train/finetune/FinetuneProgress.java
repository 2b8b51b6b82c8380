package dev.mixtral.train.finetune;

import dev.mixtral.train.report.LogEntry;
import java.io.PrintStream;
import java.util.Locale;

/// The line that tells people how a run goes: overwritten on a terminal, a line now and then elsewhere. Not
/// thread-safe.
final class FinetuneProgress {
    private static final int LINES = 40;

    private final PrintStream out;
    private final boolean isTerminal;
    private final int steps;
    private double seconds;
    private int counted;

    FinetuneProgress(PrintStream out, boolean isTerminal, int steps) {
        this.out = out;
        this.isTerminal = isTerminal;
        this.steps = steps;
    }

    /// Shows a step.
    ///
    /// @param stepSeconds that it took, evaluation included
    void show(LogEntry entry, double stepSeconds) {
        seconds += stepSeconds;
        counted++;
        boolean isLast = entry.step() == steps;
        boolean isDue = isLast || entry.evaluation() != null || entry.step() % Math.max(1, steps / LINES) == 0;
        if (isTerminal) {
            out.print("\r\u001b[K" + line(entry) + (isLast || entry.evaluation() != null ? "\n" : ""));
            out.flush();
        } else if (isDue) {
            out.println(line(entry));
        }
    }

    private String line(LogEntry entry) {
        double[] range = entry.shareRange();
        long left = Math.round(seconds / counted * (steps - entry.step()));
        return String.format(
                Locale.ROOT,
                "step %d/%d  loss %.4f%s  lr %.2e  %,.0f tok/s  experts %.0f-%.0f%%  left %d:%02d",
                entry.step(),
                steps,
                entry.loss(),
                entry.evaluation() == null ? "" : String.format(Locale.ROOT, "  eval %.4f", entry.evaluation()),
                entry.learningRate(),
                entry.tokensPerSecond(),
                100 * range[0],
                100 * range[1],
                left / 60,
                left % 60);
    }
}
