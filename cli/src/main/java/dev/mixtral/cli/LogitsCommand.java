package dev.mixtral.cli;

import dev.mixtral.engine.Engine;
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

    @Mixin
    private final LoraOption lora = new LoraOption();

    @Option(names = "--all", description = "Give the logits of every position, not only of the last: [[…],…].")
    private boolean all;

    LogitsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        try (Engine engine = Engine.load(model.resolve(terminal), compute.toConfig())) {
            int vocabSize = engine.modelConfig().vocabSize();
            String adapter = lora.load(engine);
            return JsonLines.process(terminal, line -> {
                float[][] logits = engine.logits(JsonLines.ids(line, "ids", vocabSize), all, adapter);
                ObjectNode result = JsonLines.MAPPER.createObjectNode();
                if (all) {
                    ArrayNode positions = result.putArray("logits");
                    for (float[] position : logits) {
                        positions.add(array(position));
                    }
                } else {
                    result.set("logits", array(logits[0]));
                }
                return result;
            });
        }
    }

    private static ArrayNode array(float[] values) {
        ArrayNode array = JsonLines.MAPPER.createArrayNode();
        for (float value : values) {
            array.add(value);
        }
        return array;
    }
}
