package dev.mixtral.server.metrics;

import dev.mixtral.engine.EngineStats;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/// The figures of one engine. Thread-safe: a scrape reads the engine's state once, so its figures fit together.
final class EngineMetrics {
    private final Supplier<EngineStats> source;
    private final MeterRegistry registry;
    private final Tags tags;
    private volatile EngineStats stats;

    /// @param model served id
    /// @param source reads the engine's state
    EngineMetrics(MeterRegistry registry, String model, Supplier<EngineStats> source) {
        this.registry = registry;
        this.tags = Tags.of("model", model);
        this.source = source;
        this.stats = source.get();
        gauge("requests.running", "Sequences that hold a place in the batch", EngineStats::numRunning);
        gauge("requests.waiting", "Requests that wait for their turn", EngineStats::numWaiting);
        gauge(
                "kv.cache.usage.ratio",
                "Share of the KV cache's blocks that sequences hold",
                EngineMetrics::kvCacheUsage);
        gauge("kv.cache.blocks", "Blocks of the KV cache", EngineStats::numKvBlocks);
        counter("prompt.tokens", "Prompt tokens of admitted requests, cached ones included", EngineStats::promptTokens);
        counter("generation.tokens", "Tokens generated", EngineStats::generatedTokens);
        counter("prefix.cache.queries", "Prompt tokens looked up in the prefix cache", EngineStats::prefixCacheQueries);
        counter("prefix.cache.hits", "Prompt tokens found in the prefix cache", EngineStats::prefixCacheHits);
        counter("preemptions", "Times that a sequence lost its blocks to an older one", EngineStats::preemptions);
        counter("engine.steps", "Forward passes", EngineStats::steps);
    }

    private static double kvCacheUsage(EngineStats stats) {
        return stats.numKvBlocks() == 0 ? 0 : (double) stats.numKvBlocksUsed() / stats.numKvBlocks();
    }

    private void gauge(String name, String description, ToDoubleFunction<EngineStats> figure) {
        Gauge.builder("mixtral." + name, this, metrics -> figure.applyAsDouble(metrics.stats))
                .description(description)
                .tags(tags)
                .strongReference(true)
                .register(registry);
    }

    private void counter(String name, String description, ToDoubleFunction<EngineStats> figure) {
        FunctionCounter.builder("mixtral." + name, this, metrics -> figure.applyAsDouble(metrics.stats))
                .description(description)
                .tags(tags)
                .register(registry);
    }

    /// Reads the engine's state anew.
    void refresh() {
        stats = source.get();
    }
}
