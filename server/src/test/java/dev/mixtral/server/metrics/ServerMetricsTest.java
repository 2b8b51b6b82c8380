package dev.mixtral.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.engine.EngineStats;
import dev.mixtral.server.RequestReport;
import dev.mixtral.server.RequestReport.Generated;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServerMetricsTest {
    private static final EngineStats STATS = new EngineStats(3, 5, 40, 10, 1000, 200, 900, 300, 2, 77);
    private static final Pattern COMMENT = Pattern.compile("# (HELP|TYPE) [a-z0-9_]+ .+");
    private static final Pattern SAMPLE =
            Pattern.compile("[a-z0-9_]+(\\{([a-z_]+=\"[^\"]*\",?)*})? (-?[0-9.]+(E-?[0-9]+)?|NaN|[+-]Inf)");

    private final ServerMetrics metrics = new ServerMetrics("1.2.3");

    @AfterEach
    void close() {
        metrics.close();
    }

    private static RequestReport report(String endpoint, int status, @Nullable Generated generated) {
        return new RequestReport("r", "POST", endpoint, status, "tiny", "", false, 1_500_000_000L, generated, null);
    }

    private static Generated generated(String... finishReasons) {
        return new Generated(10, 4, 7, 2_000_000, 300_000_000, 60_000_000, List.of(finishReasons));
    }

    @Test
    void engineFiguresAreReadAtEveryScrape() {
        AtomicInteger reads = new AtomicInteger();
        metrics.addModel("tiny", "scalar", "fp_1", () -> {
            reads.incrementAndGet();
            return STATS;
        });
        reads.set(0);
        assertThat(metrics.metricsText())
                .contains("mixtral_requests_running{model=\"tiny\"} 3.0\n")
                .contains("mixtral_requests_waiting{model=\"tiny\"} 5.0\n")
                .contains("mixtral_kv_cache_usage_ratio{model=\"tiny\"} 0.25\n")
                .contains("mixtral_kv_cache_blocks{model=\"tiny\"} 40.0\n")
                .contains("mixtral_prompt_tokens_total{model=\"tiny\"} 1000.0\n")
                .contains("mixtral_generation_tokens_total{model=\"tiny\"} 200.0\n")
                .contains("mixtral_prefix_cache_queries_total{model=\"tiny\"} 900.0\n")
                .contains("mixtral_prefix_cache_hits_total{model=\"tiny\"} 300.0\n")
                .contains("mixtral_preemptions_total{model=\"tiny\"} 2.0\n")
                .contains("mixtral_engine_steps_total{model=\"tiny\"} 77.0\n");
        assertThat(reads).as("one consistent reading a scrape").hasValue(1);
    }

    @Test
    void anEngineWithoutBlocksUsesNoneOfThem() {
        metrics.addModel("tiny", "scalar", "fp_1", () -> new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
        assertThat(metrics.metricsText()).contains("mixtral_kv_cache_usage_ratio{model=\"tiny\"} 0.0\n");
    }

    @Test
    void requestsAreCountedAndTimed() {
        metrics.requestStarted("r", "/v1/chat/completions");
        metrics.requestStarted("s", "/v1/models");
        metrics.requestEnded(report("/v1/chat/completions", 200, generated("stop", "length", "stop")));
        assertThat(metrics.metricsText())
                .contains("mixtral_http_requests_open 1.0\n")
                .contains("mixtral_requests_total{endpoint=\"/v1/chat/completions\",status=\"200\"} 1.0\n")
                .contains("mixtral_finish_reason_total{model=\"tiny\",reason=\"stop\"} 2.0\n")
                .contains("mixtral_finish_reason_total{model=\"tiny\",reason=\"length\"} 1.0\n")
                .contains("mixtral_queue_time_seconds_sum{model=\"tiny\"} 0.002\n")
                .contains("mixtral_time_to_first_token_seconds_bucket{model=\"tiny\",le=\"0.25\"} 0\n")
                .contains("mixtral_time_to_first_token_seconds_bucket{model=\"tiny\",le=\"0.5\"} 1\n")
                .contains("mixtral_time_to_first_token_seconds_bucket{model=\"tiny\",le=\"600.0\"} 1\n")
                .contains("mixtral_time_to_first_token_seconds_count{model=\"tiny\"} 1\n")
                .contains("mixtral_time_per_output_token_seconds_bucket{model=\"tiny\",le=\"0.075\"} 1\n")
                .contains("mixtral_request_duration_seconds_bucket{endpoint=\"/v1/chat/completions\",le=\"2.5\"} 1\n")
                .contains("# TYPE mixtral_request_duration_seconds histogram\n");
    }

    @Test
    void aRequestThatNeverGotATokenHasNoTokenTimes() {
        metrics.requestStarted("r", "/v1/chat/completions");
        metrics.requestEnded(
                report("/v1/chat/completions", 499, new Generated(10, 0, 0, 5, 0, 0, List.of("cancelled"))));
        assertThat(metrics.metricsText())
                .contains("mixtral_queue_time_seconds_count{model=\"tiny\"} 1\n")
                .contains("mixtral_finish_reason_total{model=\"tiny\",reason=\"cancelled\"} 1.0\n")
                .doesNotContain("time_to_first_token")
                .doesNotContain("time_per_output_token");
    }

    @Test
    void requestsWithoutAGenerationOnlyCount() {
        metrics.requestStarted("r", "other");
        metrics.requestEnded(report("other", 404, null));
        assertThat(metrics.metricsText())
                .contains("mixtral_requests_total{endpoint=\"other\",status=\"404\"} 1.0\n")
                .doesNotContain("queue_time");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mixtral_build_info{java=",
                "version=\"1.2.3\"} 1\n",
                "jvm_memory_used_bytes{",
                "jvm_threads_live_threads ",
                "process_cpu_usage ",
                "process_files_open_files ",
                "process_uptime_seconds "
            })
    void theProcessIsDescribedToo(String sample) {
        assertThat(metrics.metricsText()).contains(sample);
    }

    @Test
    void everyLineHasTheFormOfTheTextFormat() {
        metrics.addModel("tiny", "scalar", "fp_1", () -> STATS);
        metrics.requestStarted("r", "/v1/chat/completions");
        metrics.requestEnded(report("/v1/chat/completions", 200, generated("stop")));
        assertThat(metrics.metricsText()).endsWith("\n");
        assertThat(metrics.metricsText().lines())
                .allSatisfy(line -> assertThat(COMMENT.matcher(line).matches()
                                || SAMPLE.matcher(line).matches())
                        .as(line)
                        .isTrue());
    }

    @Test
    void namesOfModelsAreEscaped() {
        metrics.addModel("a\"b\\c\nd", "scalar", "fp_1", () -> STATS);
        assertThat(metrics.metricsText()).contains("mixtral_requests_running{model=\"a\\\"b\\\\c\\nd\"} 3.0\n");
    }

    @Test
    void twoServersShareNothing() {
        try (ServerMetrics other = new ServerMetrics("2")) {
            other.addModel("big", "scalar", "fp_1", () -> STATS);
            assertThat(metrics.metricsText()).doesNotContain("big");
        }
    }
}
