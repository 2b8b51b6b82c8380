package dev.mixtral.server.metrics;

import dev.mixtral.server.RequestReport;
import dev.mixtral.server.RequestReport.Generated;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.DoubleStream;

/// What is counted and timed of each request. Thread-safe.
///
/// Labels take few values: endpoints are routes, never paths that a client made up, and models are served ids.
final class RequestMetrics {
    private static final Duration[] TTFT_BUCKETS =
            seconds(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300, 600);
    private static final Duration[] TPOT_BUCKETS =
            seconds(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5);
    private static final Duration[] QUEUE_BUCKETS =
            seconds(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300);
    private static final Duration[] DURATION_BUCKETS =
            seconds(0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300, 600, 1200, 2400);

    private final MeterRegistry registry;
    private final AtomicInteger openRequests = new AtomicInteger();

    RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
        Gauge.builder("mixtral.http.requests.open", openRequests, AtomicInteger::get)
                .description("HTTP requests whose answer has not ended, of any kind")
                .register(registry);
    }

    private static Duration[] seconds(double... bounds) {
        return DoubleStream.of(bounds)
                .mapToObj(bound -> Duration.ofNanos(Math.round(bound * 1e9)))
                .toArray(Duration[]::new);
    }

    /// Counts a request that has begun.
    void started() {
        openRequests.incrementAndGet();
    }

    /// Counts a request that has ended.
    void ended(RequestReport report) {
        openRequests.decrementAndGet();
        Counter.builder("mixtral.requests")
                .description("HTTP requests that have ended, by route and status; 499: the client went away")
                .tag("endpoint", report.endpoint())
                .tag("status", Integer.toString(report.status()))
                .register(registry)
                .increment();
        Timer.builder("mixtral.request.duration")
                .description("Time from a request's first byte to the end of its answer")
                .serviceLevelObjectives(DURATION_BUCKETS)
                .tag("endpoint", report.endpoint())
                .register(registry)
                .record(Duration.ofNanos(report.durationNanos()));
        if (report.generation() != null) {
            generated(report.model(), report.generation());
        }
    }

    private void generated(String model, Generated generated) {
        for (String reason : generated.finishReasons()) {
            Counter.builder("mixtral.finish.reason")
                    .description("Choices that have ended, by why")
                    .tag("model", model)
                    .tag("reason", reason)
                    .register(registry)
                    .increment();
        }
        record(
                "queue.time",
                "Time from a request to its first computation",
                QUEUE_BUCKETS,
                model,
                generated.queueNanos());
        if (generated.ttftNanos() > 0) {
            record(
                    "time.to.first.token",
                    "Time from a request to its first token",
                    TTFT_BUCKETS,
                    model,
                    generated.ttftNanos());
        }
        if (generated.tpotNanos() > 0) {
            record(
                    "time.per.output.token",
                    "Mean time of a request's tokens after the first",
                    TPOT_BUCKETS,
                    model,
                    generated.tpotNanos());
        }
    }

    private void record(String name, String description, Duration[] buckets, String model, long nanos) {
        Timer.builder("mixtral." + name)
                .description(description)
                .serviceLevelObjectives(buckets)
                .tag("model", model)
                .register(registry)
                .record(Duration.ofNanos(nanos));
    }
}
