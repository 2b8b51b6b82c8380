package dev.mixtral.cli;

import com.sun.management.ThreadMXBean;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.model.Adapter;
import dev.mixtral.model.Linear;
import dev.mixtral.model.MixtralWeights;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Measures prefill and decode of one model, for several batch sizes, after warming up.
final class Benchmark {
    /// Long enough for the compiler to finish with the kernels.
    private static final long WARM_UP_NANOS = 4_000_000_000L;

    private static final int WARM_UP_PROMPT = 32;
    private static final int WARM_UP_STEPS = 4;

    private final Checkpoint checkpoint;
    private final MixtralConfig model;
    private final EngineConfig config;
    private final int publishedLayers;
    private final int prompt;
    private final int generate;
    private final List<Integer> depths;
    private final @Nullable Adapter adapter;

    /// @param publishedLayers layers of the model that the checkpoint stands for, which may have fewer
    /// @param prompt tokens of a prefill
    /// @param generate tokens of the decode behind it
    /// @param depths positions at which decode begins; the prompt's length at least
    /// @param adapter measured beside the model itself; `null` for none
    Benchmark(
            Checkpoint checkpoint,
            EngineConfig config,
            int publishedLayers,
            int prompt,
            int generate,
            List<Integer> depths,
            @Nullable LoraAdapter adapter) {
        this.checkpoint = checkpoint;
        this.model = checkpoint.config();
        this.config = config;
        this.publishedLayers = publishedLayers;
        this.prompt = prompt;
        this.generate = generate;
        this.depths = List.copyOf(depths);
        this.adapter = adapter == null
                ? null
                : Adapter.of(LoraDeltas.fit(adapter, model, checkpoint.ropeLayout()), checkpoint);
        int deepest = depths.stream().reduce(prompt, Math::max);
        OptionChecks.require(
                deepest + generate <= model.contextLength(),
                "--prompt, --depth and --generate: " + (deepest + generate) + " tokens do not fit the context of "
                        + model.contextLength());
    }

    /// Runs everything.
    ///
    /// @param log one line when something that takes time begins
    BenchReport run(List<Integer> batches, PrintStream log) throws InterruptedException {
        log.println("measuring memory bandwidth");
        double bandwidth = MemoryBandwidth.measure(config.numThreads());
        List<BenchReport.Run> runs = new ArrayList<>();
        try (BenchModel bench = new BenchModel(checkpoint, config)) {
            log.println(bench.kernels().reason());
            log.println("warming up");
            long end = System.nanoTime() + WARM_UP_NANOS;
            do {
                for (Adapter applied : variants()) {
                    measure(bench, 1, Math.min(prompt, WARM_UP_PROMPT), 0, Math.min(generate, WARM_UP_STEPS), applied);
                }
            } while (System.nanoTime() < end);
            for (int batch : batches) {
                for (int depth : depths) {
                    for (Adapter applied : variants()) {
                        log.println("measuring batch " + batch + " at depth " + Math.max(depth, prompt)
                                + (applied == null ? "" : " with the adapter"));
                        runs.add(measure(bench, batch, prompt, depth, generate, applied));
                    }
                }
            }
            return new BenchReport(
                    checkpoint.source(),
                    bench.kernels().kernels().name(),
                    config.numThreads(),
                    bandwidth,
                    new BenchReport.Layers(
                            model.numLayers(),
                            publishedLayers,
                            bench.weights().output().byteSize()),
                    runs);
        }
    }

    /// Returns what is compared: the model itself, and with the adapter.
    private List<@Nullable Adapter> variants() {
        List<@Nullable Adapter> variants = new ArrayList<>();
        variants.add(null);
        if (adapter != null) {
            variants.add(adapter);
        }
        return variants;
    }

    /// @param depth positions that the sequences already have when they decode: the prompt's, or more, which are then
    ///     empty, as what they hold does not change the time that reading them takes
    /// @param applied the adapter of all sequences, or `null`
    private BenchReport.Run measure(
            BenchModel bench, int batch, int numPromptTokens, int depth, int numSteps, @Nullable Adapter applied) {
        List<KvCache> caches = IntStream.range(0, batch)
                .mapToObj(_ -> new KvCache(bench.kvLayout()))
                .toList();
        try {
            long start = System.nanoTime();
            for (int i = 0; i < batch; i++) {
                bench.prefill(caches.get(i), i, numPromptTokens, applied);
            }
            long prefillNanos = System.nanoTime() - start;
            caches.forEach(cache -> {
                cache.ensureCapacity(Math.max(depth, numPromptTokens));
                cache.setNumComputedTokens(Math.max(depth, numPromptTokens));
            });
            BitSet used = new BitSet(model.numLayers() * model.numExperts());
            long bytes = 0;
            long allocatedBefore = allocatedBytes();
            long decodeStart = System.nanoTime();
            for (int step = 0; step < numSteps; step++) {
                used.clear();
                bench.decode(
                        caches, applied, (layer, _, _, expert, _) -> used.set(layer * model.numExperts() + expert));
                bytes += stepBytes(bench.weights(), used) + kvBytes(bench, caches);
            }
            long decodeNanos = System.nanoTime() - decodeStart;
            return new BenchReport.Run(
                    applied != null,
                    batch,
                    numPromptTokens,
                    Math.max(depth, numPromptTokens),
                    numSteps,
                    prefillNanos,
                    decodeNanos,
                    bytes,
                    allocatedBytes() - allocatedBefore);
        } finally {
            caches.forEach(KvCache::close);
        }
    }

    /// Returns the bytes of the heap that all threads have taken so far.
    private static long allocatedBytes() {
        return ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads
                ? threads.getTotalThreadAllocatedBytes()
                : 0;
    }

    /// Counts the weights that one step reads: everything dense, and each expert that some row went to.
    private long stepBytes(MixtralWeights weights, BitSet usedExperts) {
        long bytes = weights.output().byteSize();
        for (int l = 0; l < model.numLayers(); l++) {
            MixtralWeights.Layer layer = weights.layers().get(l);
            for (Linear matrix : List.of(layer.wq(), layer.wk(), layer.wv(), layer.wo())) {
                bytes += matrix.byteSize();
            }
            if (layer.gate() != null) {
                bytes += layer.gate().data().byteSize();
            }
            for (int e = 0; e < model.numExperts(); e++) {
                if (model.isDense() || usedExperts.get(l * model.numExperts() + e)) {
                    bytes += layer.experts().get(e).byteSize();
                }
            }
        }
        return bytes;
    }

    private static long kvBytes(BenchModel bench, List<KvCache> caches) {
        return caches.stream()
                .mapToLong(cache -> cache.numComputedTokens() * bench.kvLayout().bytesPerToken())
                .sum();
    }
}
