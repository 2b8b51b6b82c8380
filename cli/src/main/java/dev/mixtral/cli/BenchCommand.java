package dev.mixtral.cli;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Measures speed on this machine.
@Command(
        name = "bench",
        description = "Measure prefill and decode: tokens/s, bytes moved, share of the memory bandwidth.",
        footer = {
            "",
            "Without a download, at full width: mixtral bench --random 8x7b:q4_0 --layers 4. Tokens per second of all "
                    + "layers, at the same speed, are printed below those of so few."
        })
final class BenchCommand implements Callable<Integer> {
    private static final String RANDOM_RANK = "rank:";

    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    @Option(
            names = "--random",
            paramLabel = "SHAPE:TYPE",
            description = "Random weights instead of MODEL: 8x7b, 8x22b, 7b, 70b or micro, and a type such as q4_0.")
    private @Nullable String random;

    @Option(names = "--layers", paramLabel = "N", description = "Layers of the random model. Default: all.")
    private int layers;

    @Option(names = "--save-gguf", paramLabel = "FILE", description = "Write the random model there, and end.")
    private @Nullable Path saveGguf;

    @Option(
            names = "--prompt",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of the prefill (default: ${DEFAULT-VALUE}).")
    private int prompt;

    @Option(
            names = "--generate",
            paramLabel = "N",
            defaultValue = "64",
            description = "Tokens of the decode behind it (default: ${DEFAULT-VALUE}).")
    private int generate;

    @Option(
            names = "--batch",
            paramLabel = "N,…",
            split = ",",
            defaultValue = "1",
            description = "Sequences that decode together (default: ${DEFAULT-VALUE}).")
    private List<Integer> batches = new ArrayList<>();

    @Option(
            names = "--depth",
            paramLabel = "N,…",
            split = ",",
            defaultValue = "0",
            description = "Positions at which decode begins, if more than the prompt's (default: behind the prompt).")
    private List<Integer> depths = new ArrayList<>();

    @Option(
            names = "--lora",
            paramLabel = "PATH|rank:N",
            description =
                    "Measure each case with an adapter as well: a PEFT folder, a GGUF adapter, or random numbers of"
                            + " rank N over attention and all experts.")
    private @Nullable String lora;

    @Option(names = "--json", description = "Write one JSON object.")
    private boolean json;

    BenchCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws InterruptedException {
        OptionChecks.requirePositive("--prompt", prompt);
        OptionChecks.requirePositive("--generate", generate);
        batches.forEach(batch -> OptionChecks.requirePositive("--batch", batch));
        OptionChecks.require(
                random != null || (saveGguf == null && layers == 0), "--layers and --save-gguf need --random");
        EngineConfig config = compute.toConfig();
        try (Checkpoint checkpoint = open(config)) {
            if (saveGguf != null && checkpoint instanceof RandomCheckpoint made) {
                RandomGguf.write(made, saveGguf);
                return 0;
            }
            int publishedLayers = checkpoint instanceof RandomCheckpoint made
                    ? made.publishedLayers()
                    : checkpoint.config().numLayers();
            Benchmark benchmark = new Benchmark(
                    checkpoint, config, publishedLayers, prompt, generate, depths, adapter(checkpoint.config()));
            BenchReport report = benchmark.run(batches, terminal.err());
            if (json) {
                terminal.out().println(JsonLines.MAPPER.writeValueAsString(report.toJson()));
            } else {
                report.print(terminal.out());
            }
        }
        return 0;
    }

    private @Nullable LoraAdapter adapter(MixtralConfig shape) {
        if (lora == null) {
            return null;
        }
        if (!lora.startsWith(RANDOM_RANK)) {
            return LoraFiles.read(Path.of(lora), shape);
        }
        String rank = lora.substring(RANDOM_RANK.length());
        OptionChecks.require(
                rank.matches("[1-9]\\d{0,3}"), "--lora: a rank from 1 to 9999 expected behind rank:, got " + rank);
        return RandomAdapter.of(shape, Integer.parseInt(rank));
    }

    private Checkpoint open(EngineConfig config) {
        if (random == null) {
            return Checkpoints.open(model.resolve(terminal));
        }
        RandomSpec spec = RandomSpec.parse(random, layers);
        boolean packs = !config.exact()
                && KernelSelector.select(config.kernels()).kernels().prefersPacked();
        return new RandomCheckpoint(
                spec, saveGguf != null || !packs || spec.type().isPlain());
    }
}
