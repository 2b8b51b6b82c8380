package dev.mixtral.cli;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.train.data.DataFault;
import dev.mixtral.train.data.TrainingData;
import dev.mixtral.train.finetune.Finetuning;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/// Checks training data.
@Command(
        name = "validate-data",
        description = "Check training data: name file, line and fault of each example that cannot be learned from.",
        footer = {"", "The exit code is 0 if there are none, else 1. `mixtral finetune` makes the same checks."})
final class ValidateDataCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(arity = "1..*", paramLabel = "FILE", description = "JSONL, JSON or text.")
    private List<Path> files = new ArrayList<>();

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            description = "The model to be trained, for its tokens and chat format. Default: the embedded model.")
    private @Nullable Path model;

    @Option(
            names = "--sequence-length",
            paramLabel = "N",
            description = "Tokens that an example may have. Default: ${DEFAULT-VALUE}.")
    private int sequenceLength = 1024;

    @Option(names = "--json", description = "Write one JSON object.")
    private boolean json;

    ValidateDataCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        OptionChecks.requirePositive("--sequence-length", sequenceLength);
        Path path = model == null ? ModelArgument.embedded(terminal) : ModelArgument.requireExists(model);
        try (Checkpoint checkpoint = Checkpoints.open(path)) {
            TrainingData data = TrainingData.read(files, Finetuning.encoder(checkpoint, sequenceLength));
            if (json) {
                terminal.out().println(JsonLines.MAPPER.writeValueAsString(toJson(data)));
            } else {
                print(data);
            }
            return data.faults().isEmpty() ? 0 : 1;
        }
    }

    private void print(TrainingData data) {
        data.faults().forEach(fault -> terminal.out().println(fault));
        terminal.out()
                .printf(
                        Locale.ROOT,
                        "%,d examples, %,d tokens, of which %,d are learned; the longest has %,d%n",
                        data.examples().size(),
                        data.numTokens(),
                        data.numCounted(),
                        data.longest());
        if (data.rewrittenIds() > 0) {
            terminal.out()
                    .println(data.rewrittenIds() + " ids of tool calls are replaced by ids of nine letters and digits");
        }
        if (!data.faults().isEmpty()) {
            terminal.out().println(data.faults().size() + " examples have faults");
        }
    }

    private static ObjectNode toJson(TrainingData data) {
        ObjectNode report = JsonLines.MAPPER.createObjectNode();
        report.put("examples", data.examples().size())
                .put("tokens", data.numTokens())
                .put("learnedTokens", data.numCounted())
                .put("longestTokens", data.longest())
                .put("rewrittenCallIds", data.rewrittenIds());
        var faults = report.putArray("faults");
        for (DataFault fault : data.faults()) {
            faults.addObject()
                    .put("file", fault.origin().file().toString())
                    .put("line", fault.origin().line())
                    .put("fault", fault.what());
        }
        return report;
    }
}
