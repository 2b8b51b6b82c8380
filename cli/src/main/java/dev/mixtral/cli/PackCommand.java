package dev.mixtral.cli;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.quantize.ModelPacker;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Writes a model in the layout of the kernels.
@Command(
        name = "pack",
        description = "Write a quantised model as the kernels want it, so that it starts without a conversion.",
        footer = {
            "",
            "The file works wherever a model does. It holds the same information as its source, and checksums that are "
                    + "checked when it is loaded. Other programs do not read it."
        })
final class PackCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "MODEL", description = "GGUF file, or folder with a checkpoint.")
    private Path model = Path.of("");

    @Parameters(index = "1", paramLabel = "OUT", description = "The packed file to make.")
    private Path output = Path.of("");

    @Option(names = "--threads", paramLabel = "N", description = "Threads. Default: one per processor.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--force", description = "Replace OUT.")
    private boolean force;

    PackCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        OptionChecks.requirePositive("--threads", threads);
        ProgressLine progress = new ProgressLine(terminal);
        try (Checkpoint checkpoint = Checkpoints.open(ModelArgument.requireExists(model));
                ThreadTeam team = new ThreadTeam(threads)) {
            ModelPacker.pack(checkpoint, output, force, team, progress::show);
        }
        terminal.err().println("packed into " + output);
        return 0;
    }
}
