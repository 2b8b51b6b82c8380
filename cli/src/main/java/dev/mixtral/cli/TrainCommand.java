package dev.mixtral.cli;

import dev.mixtral.train.TrainOptions;
import dev.mixtral.train.Training;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Trains a small Mixtral from scratch.
@Command(
        name = "train",
        description = "Train the small model that comes with the program, or one like it.",
        footer = {
            "",
            "The first run downloads PyTorch's native libraries, about 110 MB. Progress goes to stderr. Ctrl-C leaves a "
                    + "checkpoint, from which --resume continues."
        })
final class TrainCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "DIR",
            description = "Folder for the model, the log and the checkpoint.")
    private Path output = Path.of("");

    @Option(names = "--steps", paramLabel = "N", description = "Updates of the weights.")
    private @Nullable Integer steps;

    @Option(names = "--seed", paramLabel = "N", description = "Of the weights and of the corpus.")
    private @Nullable Long seed;

    @Option(names = "--learning-rate", paramLabel = "X", description = "Peak of the schedule.")
    private @Nullable Double learningRate;

    @Option(names = "--resume", description = "Continue from the checkpoint in DIR.")
    private boolean resume;

    TrainCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        TrainOptions tiny = TrainOptions.tiny(output);
        TrainOptions options = tiny.with(
                steps == null ? tiny.steps() : steps,
                seed == null ? tiny.seed() : seed,
                learningRate == null ? tiny.learningRate() : learningRate,
                resume);
        OptionChecks.requirePositive("--steps", options.steps());
        Training.run(options, terminal.err());
        terminal.out().println(output);
        return 0;
    }
}
