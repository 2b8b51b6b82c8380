package dev.mixtral.server.metrics;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.EngineStats;
import dev.mixtral.server.RequestReport;
import dev.mixtral.server.ServerObserver;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Supplier;

/// All metrics of one server: its requests, its engines, the JVM's memory, garbage collection, threads, processor use
/// and file descriptors. Thread-safe; several servers in one process do not share anything.
public final class ServerMetrics implements ServerObserver, AutoCloseable {
    /// Content type of [#metricsText()].
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final RequestMetrics requests = new RequestMetrics(registry);
    private final Map<String, EngineMetrics> engines = new ConcurrentSkipListMap<>();
    private final JvmGcMetrics garbageCollection = new JvmGcMetrics();

    /// @param version the program's version, for `mixtral_build_info`
    public ServerMetrics(String version) {
        info(
                "mixtral.build.info",
                "The program",
                Tags.of("version", version, "java", System.getProperty("java.version")));
        garbageCollection.bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
    }

    private void info(String name, String description, Tags tags) {
        Gauge.builder(name, () -> 1).description(description).tags(tags).register(registry);
    }

    @Override
    public void modelReady(String id, Engine engine) {
        addModel(id, engine.kernels().kernels().name(), engine.fingerprint(), engine::stats);
    }

    /// Adds a model, once for each id.
    void addModel(String id, String kernels, String fingerprint, Supplier<EngineStats> stats) {
        info(
                "mixtral.model.info",
                "A model that is served",
                Tags.of("model", id, "kernels", kernels, "fingerprint", fingerprint));
        engines.computeIfAbsent(id, model -> new EngineMetrics(registry, model, stats));
    }

    @Override
    public void requestStarted(String requestId, String endpoint) {
        requests.started();
    }

    @Override
    public void requestEnded(RequestReport report) {
        requests.ended(report);
    }

    @Override
    public String metricsText() {
        engines.values().forEach(EngineMetrics::refresh);
        return registry.scrape(CONTENT_TYPE);
    }

    /// Ends the listening to garbage collections.
    @Override
    public void close() {
        garbageCollection.close();
        registry.close();
    }
}
