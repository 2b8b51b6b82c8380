package dev.mixtral.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.engine.EngineStats;
import dev.mixtral.server.RequestReport;
import dev.mixtral.server.RequestReport.Generated;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// Every metric that the dashboard, the alerts and the documentation name is one that a scrape has.
class DashboardTest {
    /// Names in expressions; those of functions have no such beginning.
    private static final Pattern METRIC = Pattern.compile("\\b(mixtral|jvm|process|system)_[a-z0-9_]+");

    private static final Path HOME = Path.of(System.getProperty("mixtral.home"));

    private final ServerMetrics metrics = new ServerMetrics("1");

    @BeforeEach
    void doOneOfEverything() throws InterruptedException {
        metrics.addModel("tiny", "scalar", "fp_1", () -> new EngineStats(1, 1, 4, 1, 1, 1, 1, 1, 1, 1));
        metrics.requestStarted("r", "/v1/chat/completions");
        Generated generated = new Generated(1, 1, 2, 1, 1, 1, List.of("stop"));
        metrics.requestEnded(
                new RequestReport("r", "POST", "/v1/chat/completions", 200, "tiny", "", false, 1, generated, null));
        // Collections are told of a moment after they happened.
        Instant deadline = Instant.now().plus(Duration.ofSeconds(20));
        while (!metrics.metricsText().contains("jvm_gc_pause_seconds")
                && Instant.now().isBefore(deadline)) {
            System.gc();
            Thread.sleep(20);
        }
    }

    @AfterEach
    void close() {
        metrics.close();
    }

    private Set<String> scraped() {
        return metrics.metricsText()
                .lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.replaceAll("[{ ].*", ""))
                .collect(Collectors.toSet());
    }

    private static Set<String> namesIn(List<String> expressions) {
        Set<String> names = new TreeSet<>();
        expressions.forEach(text -> METRIC.matcher(text).results().forEach(found -> names.add(found.group())));
        return names;
    }

    @Test
    void theDashboardNamesOnlyMetricsThatThereAre() throws IOException {
        JsonNode dashboard =
                JsonMapper.shared().readTree(Files.readAllBytes(HOME.resolve("deploy/grafana/mixtral.json")));
        List<String> expressions = dashboard.findValuesAsString("expr");
        assertThat(expressions).hasSizeGreaterThan(20);
        assertThat(scraped()).containsAll(namesIn(expressions));
        assertThat(scraped()).containsAll(namesIn(dashboard.findValuesAsString("definition")));
    }

    @Test
    void everyMetricOfOursIsOnTheDashboard() throws IOException {
        String dashboard = Files.readString(HOME.resolve("deploy/grafana/mixtral.json"));
        assertThat(ownMetrics()).allSatisfy(name -> assertThat(dashboard).contains(name));
    }

    @Test
    void theAlertsNameOnlyMetricsThatThereAre() throws IOException {
        JsonNode alerts = new YAMLMapper().readTree(Files.readAllBytes(HOME.resolve("deploy/prometheus/alerts.yml")));
        List<String> expressions = alerts.findValuesAsString("expr");
        assertThat(expressions).hasSizeGreaterThan(5);
        assertThat(scraped()).containsAll(namesIn(expressions));
    }

    @Test
    void theDocumentNamesAllMetricsOfOurs() throws IOException {
        String document = Files.readString(HOME.resolve("docs/operations.md"));
        assertThat(ownMetrics()).allSatisfy(name -> assertThat(document).contains("`" + name + "`"));
        Set<String> known = new TreeSet<>(scraped());
        known.addAll(ownMetrics());
        assertThat(known).containsAll(namesIn(List.of(document)));
    }

    /// Returns the names in the `TYPE` lines, without the maxima that Micrometer adds to histograms.
    private Set<String> ownMetrics() {
        return metrics.metricsText()
                .lines()
                .filter(line -> line.startsWith("# TYPE mixtral_"))
                .map(line -> line.replaceAll("# TYPE (\\S+) .*", "$1"))
                .filter(name -> !name.endsWith("_seconds_max"))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
