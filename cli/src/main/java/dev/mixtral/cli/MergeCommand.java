package dev.mixtral.cli;

import dev.mixtral.cli.OptionChecks.UsageException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.lora.LoraFiles;
import dev.mixtral.quantize.AdapterMerger;
import dev.mixtral.quantize.ModelPacker;
import dev.mixtral.quantize.ModelQuantizer;
import dev.mixtral.quantize.Preset;
import dev.mixtral.quantize.QuantizeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes a model of its own of a model and an adapter.
@Command(
        name = "merge",
        description = "Merge an adapter into its model: W + scaling * B * A, in every matrix that it changes.",
        footer = {
            "",
            "A folder with safetensors becomes such a folder, with the same files and types; everything becomes a GGUF"
                    + " file if OUT ends with .gguf, or with --type or --pack. Memory holds the adapter and one matrix"
                    + " at a time."
        })
final class MergeCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "MODEL", description = "GGUF file, or folder with a checkpoint.")
    private Path model = Path.of("");

    @Parameters(index = "1", paramLabel = "ADAPTER", description = "PEFT folder, or GGUF adapter.")
    private Path adapter = Path.of("");

    @Parameters(index = "2", paramLabel = "OUT", description = "The folder to make, or the GGUF file.")
    private Path output = Path.of("");

    @Option(
            names = "--type",
            paramLabel = "T",
            description = "Types of a GGUF file, as for quantize. Default: those of MODEL.")
    private @Nullable String type;

    @Option(names = "--pack", description = "Write a GGUF file as the kernels want it, as pack does.")
    private boolean pack;

    @Option(names = "--threads", paramLabel = "N", description = "Threads. Default: one per processor.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--resume", description = "Continue an interrupted run, to the same bytes; GGUF only.")
    private boolean resume;

    @Option(names = "--force", description = "Replace OUT, or what an interrupted run has left; GGUF only.")
    private boolean force;

    MergeCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        OptionChecks.requirePositive("--threads", threads);
        OptionChecks.require(!(resume && force), "--resume and --force exclude each other");
        boolean gguf = output.toString().endsWith(".gguf") || type != null || pack;
        OptionChecks.require(gguf || !(resume || force), "--resume and --force are for a GGUF file: name OUT.gguf");
        Preset preset = type == null ? null : preset(type);
        ProgressLine progress = new ProgressLine(terminal);
        try (Checkpoint checkpoint = Checkpoints.open(ModelArgument.requireExists(model))) {
            LoraDeltas deltas = LoraDeltas.fit(
                    LoraFiles.read(adapter, checkpoint.config()), checkpoint.config(), checkpoint.ropeLayout());
            if (!gguf) {
                AdapterMerger.merge(checkpoint, deltas, output, progress::show);
            } else if (pack) {
                mergeAndPack(checkpoint, deltas, preset, progress);
            } else {
                merge(checkpoint, deltas, preset, output, progress);
            }
        }
        terminal.err().println("merged into " + output);
        return 0;
    }

    private void merge(
            Checkpoint checkpoint, LoraDeltas deltas, @Nullable Preset preset, Path file, ProgressLine progress) {
        QuantizeOptions options = new QuantizeOptions(file, preset, null, threads, force, resume, deltas);
        ModelQuantizer.checkOutput(checkpoint, options);
        new ModelQuantizer(checkpoint, options, progress::show).run();
    }

    /// Packing reads a whole model, so there is one for a while, beside the file to make.
    private void mergeAndPack(Checkpoint checkpoint, LoraDeltas deltas, @Nullable Preset preset, ProgressLine progress)
            throws IOException {
        OptionChecks.require(
                force || !Files.exists(output), output + " exists. Name another file, or replace it with --force.");
        Path merged = output.resolveSibling("." + output.getFileName() + ".merged.gguf");
        if (!Files.exists(merged) || !resume) {
            Files.deleteIfExists(merged);
            merge(checkpoint, deltas, preset, merged, progress);
        }
        try (Checkpoint whole = Checkpoints.open(merged);
                ThreadTeam team = new ThreadTeam(threads)) {
            ModelPacker.pack(whole, output, force, team, progress::show);
        } finally {
            Files.deleteIfExists(merged);
        }
    }

    private static Preset preset(String name) {
        return Preset.of(name)
                .orElseThrow(() -> new UsageException("--type: expected one of "
                        + Arrays.stream(Preset.values()).map(Preset::toString).collect(Collectors.joining(", "))
                        + "; got " + name));
    }
}
