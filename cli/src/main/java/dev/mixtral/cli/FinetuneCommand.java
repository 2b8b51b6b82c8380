package dev.mixtral.cli;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.train.finetune.FinetuneConfig;
import dev.mixtral.train.finetune.FinetuneKey;
import dev.mixtral.train.finetune.Finetuning;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Fine-tunes a checkpoint on data of one's own.
@Command(
        name = "finetune",
        description = "Teach a model a task: train an adapter (LoRA) over it, or all of its weights.",
        footer = {
            "",
            "DATA are JSONL or JSON in the formats of OpenAI, mistral-finetune, ShareGPT or Alpaca, or plain text; "
                    + "`mixtral validate-data` checks them. Only what the assistant says is learned. Every setting can "
                    + "stand in a YAML file too (--config). Progress goes to stderr. Ctrl-C, and even kill -9, leave a "
                    + "checkpoint in DIR, from which --resume continues. The first run downloads PyTorch's native "
                    + "libraries, about 110 MB."
        })
final class FinetuneCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Spec
    private CommandSpec command = CommandSpec.create();

    @Mixin
    private ModelArgument model = new ModelArgument();

    @Option(
            names = {"-o", "--out"},
            paramLabel = "DIR",
            description = "Folder for the adapter or model, the log, the report and the checkpoints.")
    private @Nullable Path out;

    @Option(names = "--config", paramLabel = "FILE", description = "YAML file with settings; flags come before it.")
    private @Nullable Path config;

    @Option(names = "--full", description = "The same as --method=full.")
    private boolean full;

    @Option(names = "--resume", description = "Continue from the last checkpoint in DIR.")
    private boolean resume;

    @Option(
            names = "--dry-run",
            description = "Tell the trained parameters, the memory and the time, and refuse what does not fit; train "
                    + "nothing.")
    private boolean dryRun;

    FinetuneCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        OptionChecks.require(dryRun || out != null, "--out: name a folder for the result");
        Path modelPath = model.resolve(terminal);
        try (Finetuning finetuning =
                new Finetuning(modelPath, settings(), terminal.err(), terminal.errorIsTerminal())) {
            if (dryRun || out == null) {
                finetuning.dryRun();
                return 0;
            }
            if (!finetuning.train(out, resume)) {
                return 1;
            }
            terminal.out().println(out);
            return 0;
        }
    }

    private FinetuneConfig settings() {
        Map<String, List<String>> given =
                FinetuneOptions.given(command.commandLine().getParseResult(), config);
        if (full) {
            given.put(FinetuneKey.METHOD.key(), List.of("full"));
        }
        try {
            return FinetuneConfig.of(given);
        } catch (InvalidRequestException e) {
            throw new OptionChecks.UsageException(String.valueOf(e.getMessage()));
        }
    }
}
