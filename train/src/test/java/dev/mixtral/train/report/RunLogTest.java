package dev.mixtral.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunLogTest {
    @TempDir
    private Path folder;

    private static LogEntry entry(int step, @Nullable Double evaluation) {
        return new LogEntry(step, 2.0 / step, evaluation, 1e-4, 0.5, 1000, LogEntry.shares(new long[][] {{1, 3}}));
    }

    @Test
    void aContinuedRunKeepsWhatItsCheckpointKnows() throws IOException {
        Path file = folder.resolve("log.jsonl");
        try (RunLog log = RunLog.open(file, 0)) {
            for (int step = 1; step <= 5; step++) {
                log.add(entry(step, step == 2 ? 0.75 : null));
            }
        }
        Files.writeString(file, "{\"step\":6,\"lo", StandardOpenOption.APPEND);
        try (RunLog log = RunLog.open(file, 3)) {
            assertThat(log.entries()).extracting(LogEntry::step).containsExactly(1, 2, 3);
            assertThat(log.entries().get(1)).isEqualTo(entry(2, 0.75));
            log.add(entry(4, null));
        }
        assertThat(Files.readAllLines(file)).hasSize(4);
        try (RunLog log = RunLog.open(file, 0)) {
            assertThat(log.entries()).isEmpty();
        }
    }

    @Test
    void thePageHasEveryCurveAndNeedsNothingElse() throws IOException {
        Path file = folder.resolve("report.html");
        List<LogEntry> entries = List.of(entry(1, null), entry(2, 0.9), entry(3, null), entry(4, 0.8));
        HtmlReport.write(file, "Fine-tuning <x>", Map.of("data", "a&b.jsonl"), entries);
        String html = Files.readString(file);
        assertThat(html)
                .contains("Fine-tuning &lt;x&gt;")
                .contains("a&amp;b.jsonl")
                .contains("Loss (nats per token)")
                .contains(">evaluation<")
                .contains("Learning rate")
                .contains("Use of the experts of layer 0")
                .contains(">expert 1<")
                .doesNotContain("http")
                .doesNotContain("<script")
                .doesNotContain("NaN");
        assertThat(html.split("<polyline", -1)).hasSize(1 + 2 + 1 + 1 + 2);
        HtmlReport.write(file, "empty", Map.of(), List.of());
        assertThat(Files.readString(file)).contains("empty").doesNotContain("<svg");
    }

    @Test
    void sharesAddUp() {
        assertThat(entry(1, null).expertShares()).containsExactly(List.of(0.25, 0.75));
        assertThat(entry(1, null).shareRange()).containsExactly(0.25, 0.75);
    }
}
