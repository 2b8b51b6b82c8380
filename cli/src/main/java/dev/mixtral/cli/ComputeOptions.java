package dev.mixtral.cli;

import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kvcache.KvType;
import picocli.CommandLine.Option;

/// How a model is computed: the options of every command that runs one.
final class ComputeOptions {
    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Compute threads. Default: one per processor.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            defaultValue = KernelSelector.AUTO,
            description = "scalar, vector, or auto for the fastest that runs here (default: ${DEFAULT-VALUE}).")
    private String kernels = KernelSelector.AUTO;

    @Option(
            names = "--kv",
            paramLabel = "TYPE",
            defaultValue = "f16",
            description = "Key/value cache in f16 or f32 (default: ${DEFAULT-VALUE}).")
    private KvType kvType = KvType.F16;

    /// Returns the number of compute threads.
    int threads() {
        Usage.requirePositive("--threads", threads);
        return threads;
    }

    /// Returns the kernels' name.
    String kernels() {
        return kernels;
    }

    /// Returns how keys and values are stored.
    KvType kvType() {
        return kvType;
    }
}
