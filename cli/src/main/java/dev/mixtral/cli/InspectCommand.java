package dev.mixtral.cli;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.lora.LoraFiles;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Tells what a model is and what it needs, from its headers alone; or what an adapter is.
@Command(
        name = "inspect",
        description = "Show a model's architecture, parameters, tensors, memory and kernels; or what an adapter"
                + " changes.")
final class InspectCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "Positions per sequence for the memory estimate. Default: the model's own.")
    private @Nullable Integer context;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "1",
            description = "Sequences at once for the memory estimate (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--tensors", description = "List every tensor.")
    private boolean tensors;

    @Option(names = "--json", description = "Write one JSON object, tensors and metadata included.")
    private boolean json;

    InspectCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        OptionChecks.requirePositive("--batch", batch);
        if (context != null) {
            OptionChecks.requirePositive("--context", context);
        }
        Path path = model.resolve(terminal);
        if (LoraFiles.isAdapter(path)) {
            inspectAdapter(path);
            return 0;
        }
        try (Checkpoint checkpoint = Checkpoints.open(path)) {
            Inspection inspection = new Inspection(
                    checkpoint, context == null ? checkpoint.config().contextLength() : context, batch);
            if (json) {
                terminal.out().println(JsonLines.MAPPER.writeValueAsString(inspection.toJson()));
            } else {
                inspection.print(terminal.out(), tensors);
            }
        }
        return 0;
    }

    private void inspectAdapter(Path path) {
        AdapterInspection inspection = AdapterInspection.of(path);
        if (json) {
            terminal.out().println(JsonLines.MAPPER.writeValueAsString(inspection.toJson()));
        } else {
            inspection.print(terminal.out(), tensors);
        }
    }
}
