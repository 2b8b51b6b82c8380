package dev.mixtral.train;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Tells how a run goes: a line for people, and the same as JSON in a file. Reports every few steps. Not thread-safe.
final class ProgressLog implements AutoCloseable {
    private final PrintStream out;
    private final Writer file;
    private final int every;
    private long tokens;
    private int steps;
    private long since = System.nanoTime();
    private long[][] expertCounts = new long[0][];

    /// @param out where people look
    /// @param file JSONL file, appended to
    /// @param every steps between two lines
    ProgressLog(PrintStream out, Path file, int every) {
        this.out = out;
        this.every = every;
        try {
            this.file = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    /// Takes note of a step, and prints a line if it is time.
    void report(StepReport report) {
        tokens += report.tokens();
        steps++;
        add(report.expertCounts());
        if (report.step() % every == 0 || report.step() == report.steps() || report.step() == 1) {
            print(report);
            tokens = 0;
            steps = 0;
            expertCounts = new long[0][];
            since = System.nanoTime();
        }
    }

    private void print(StepReport report) {
        double seconds = (System.nanoTime() - since) / 1e9;
        double tokensPerSecond = tokens / seconds;
        List<String> shares = new ArrayList<>();
        List<String> jsonShares = new ArrayList<>();
        for (long[] layer : expertCounts) {
            double[] range = range(layer);
            shares.add(String.format(Locale.ROOT, "%.0f-%.0f%%", 100 * range[0], 100 * range[1]));
            jsonShares.add(String.format(Locale.ROOT, "[%.4f,%.4f]", range[0], range[1]));
        }
        double left = seconds / steps * (report.steps() - report.step());
        out.println(String.format(
                Locale.ROOT,
                "step %d/%d loss %.3f ema %.3f lr %.2e norm %.2f experts %s %.0f tok/s left %d:%02d min",
                report.step(),
                report.steps(),
                report.loss(),
                report.smoothedLoss(),
                report.learningRate(),
                report.gradientNorm(),
                String.join(" ", shares),
                tokensPerSecond,
                (long) left / 60,
                (long) left % 60));
        write(String.format(
                Locale.ROOT,
                "{\"step\":%d,\"loss\":%.5f,\"ema\":%.5f,\"lr\":%.4e,\"norm\":%.4f,\"tokens_per_second\":%.0f,"
                        + "\"expert_share\":[%s]}%n",
                report.step(),
                report.loss(),
                report.smoothedLoss(),
                report.learningRate(),
                report.gradientNorm(),
                tokensPerSecond,
                String.join(",", jsonShares)));
    }

    private void add(long[][] counts) {
        if (expertCounts.length == 0) {
            expertCounts = new long[counts.length][counts[0].length];
        }
        for (int layer = 0; layer < counts.length; layer++) {
            for (int expert = 0; expert < counts[layer].length; expert++) {
                expertCounts[layer][expert] += counts[layer][expert];
            }
        }
    }

    /// Returns the smallest and the largest share of the choices that an expert got.
    static double[] range(long[] counts) {
        double total = 0;
        long min = Long.MAX_VALUE;
        long max = 0;
        for (long count : counts) {
            total += count;
            min = Math.min(min, count);
            max = Math.max(max, count);
        }
        return new double[] {min / total, max / total};
    }

    private void write(String line) {
        try {
            file.write(line);
            file.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the training log", e);
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close the training log", e);
        }
    }
}
