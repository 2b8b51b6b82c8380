package dev.mixtral.train;

import java.nio.file.Path;
import java.util.List;

/// Starts a training run without the `mixtral` command.
public final class TrainMain {
    private TrainMain() {}

    /// `--output DIR [--steps N] [--seed N] [--learning-rate X] [--resume]`.
    public static void main(String[] args) {
        List<String> list = List.of(args);
        TrainOptions tiny = TrainOptions.tiny(Path.of(value(list, "--output", "mixtral-tiny")));
        TrainOptions options = tiny.with(
                Integer.parseInt(value(list, "--steps", String.valueOf(tiny.steps()))),
                Long.parseLong(value(list, "--seed", String.valueOf(tiny.seed()))),
                Double.parseDouble(value(list, "--learning-rate", String.valueOf(tiny.learningRate()))),
                list.contains("--resume"));
        Training.run(options, System.out);
    }

    private static String value(List<String> args, String name, String otherwise) {
        int at = args.indexOf(name);
        return at >= 0 && at + 1 < args.size() ? args.get(at + 1) : otherwise;
    }
}
