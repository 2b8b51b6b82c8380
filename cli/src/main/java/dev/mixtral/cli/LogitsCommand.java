package dev.mixtral.cli;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.tensor.FloatMatrix;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Shows the numbers that the model computes, for comparisons with other implementations.
@Command(name = "logits", description = "Read {\"ids\"} lines from stdin, write {\"logits\"} lines.")
final class LogitsCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    @Option(names = "--all", description = "Give the logits of every position, not only of the last: [[…],…].")
    private boolean all;

    LogitsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        try (Checkpoint checkpoint = Checkpoints.open(model.resolve(terminal));
                LoadedModel loaded = new LoadedModel(checkpoint, compute)) {
            int vocabSize = checkpoint.config().vocabSize();
            return JsonLines.process(terminal, line -> {
                int[] ids = JsonLines.ids(line, "ids", vocabSize);
                if (ids.length == 0) {
                    throw new InvalidRequestException("ids", "expected at least one token id");
                }
                ObjectNode result = JsonLines.MAPPER.createObjectNode();
                ArrayNode positions = result.putArray("logits");
                loaded.forEachLogits(
                        ids,
                        all,
                        (_, logits, row) -> copy(logits, row, vocabSize, all ? positions.addArray() : positions));
                return result;
            });
        }
    }

    private static void copy(FloatMatrix logits, int row, int vocabSize, ArrayNode into) {
        for (int id = 0; id < vocabSize; id++) {
            into.add(logits.get(row, id));
        }
    }
}
