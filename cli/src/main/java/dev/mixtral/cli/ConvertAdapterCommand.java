package dev.mixtral.cli;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.lora.GgufLora;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraFiles;
import dev.mixtral.lora.PeftFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Writes an adapter in the other format.
@Command(
        name = "convert-adapter",
        description = "Write an adapter as a GGUF file for llama.cpp, or as a PEFT folder.",
        footer = {
            "",
            "OUT is a GGUF file if its name ends with .gguf, else a PEFT folder. MODEL is the one that the adapter"
                    + " changes, or any of its shape: only its configuration is read."
        })
final class ConvertAdapterCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "MODEL", description = "GGUF file, or folder with a checkpoint.")
    private Path model = Path.of("");

    @Parameters(index = "1", paramLabel = "ADAPTER", description = "PEFT folder, or GGUF adapter.")
    private Path adapter = Path.of("");

    @Parameters(index = "2", paramLabel = "OUT", description = "The GGUF file to make, or the folder.")
    private Path output = Path.of("");

    @Option(names = "--force", description = "Replace OUT.")
    private boolean force;

    ConvertAdapterCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        OptionChecks.require(
                force || !Files.exists(output), output + " exists. Name another, or replace it with --force.");
        try (Checkpoint checkpoint = Checkpoints.open(ModelArgument.requireExists(model))) {
            MixtralConfig config = checkpoint.config();
            LoraAdapter read = LoraFiles.read(adapter, config);
            if (output.toString().endsWith(".gguf")) {
                GgufLora.write(read, config, output);
            } else {
                PeftFolder.write(read, output);
            }
        }
        terminal.err().println("converted into " + output);
        return 0;
    }
}
