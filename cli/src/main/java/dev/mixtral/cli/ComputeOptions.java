package dev.mixtral.cli;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kvcache.KvType;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a model is computed: the options of every command that runs one.
final class ComputeOptions {
    @Option(names = "--threads", paramLabel = "N", description = "Compute threads. Default: one per processor.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            defaultValue = KernelSelector.AUTO,
            description = "native, native:avx512, native:avx2, vector, scalar, or auto for the fastest that runs here"
                    + " (default: ${DEFAULT-VALUE}).")
    private String kernels = KernelSelector.AUTO;

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "Positions a sequence may have. Default: as many as the model was trained for.")
    private @Nullable Integer context;

    @Option(
            names = "--kv",
            paramLabel = "f32|f16|q8_0",
            description =
                    "Key/value cache; q8_0 takes about half of f16. Default: f32 where a full context takes at most 512"
                            + " MiB, else f16.")
    private @Nullable KvType kvType;

    @Option(
            names = "--exact",
            description = "Compute with 32-bit activations on weights as stored: slower, and closer to the last digit.")
    private boolean exact;

    /// Returns the options as the engine takes them.
    EngineConfig toConfig() {
        OptionChecks.requirePositive("--threads", threads);
        if (context != null) {
            OptionChecks.requirePositive("--context", context);
        }
        return EngineConfig.defaults()
                .withNumThreads(threads)
                .withKernels(kernels)
                .withContextLength(context == null ? 0 : context)
                .withKvType(kvType)
                .withExact(exact);
    }

    /// Returns the options for a command whose only reader is its user, who may take all the time in the world.
    EngineConfig toConfigOfOneReader() {
        return toConfig().withMaxNumSeqs(1).withStallTimeout(Duration.ZERO);
    }
}
