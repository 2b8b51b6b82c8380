package dev.mixtral.cli;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.engine.Perplexity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/// Measures how well a model predicts a text.
///
/// The text is cut into windows of `--context` tokens that do not overlap, see [Perplexity#measure].
@Command(name = "perplexity", description = "Measure how well the model predicts a text: perplexity, and tokens/s.")
final class PerplexityCommand implements Callable<Integer> {
    private static final int DEFAULT_WINDOW = 2048;

    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    @Option(
            names = {"-f", "--file"},
            required = true,
            paramLabel = "FILE",
            description = "UTF-8 text.")
    private Path file = Path.of("");

    @Option(names = "--json", description = "Write one JSON object.")
    private boolean json;

    PerplexityCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        byte[] text = Files.readAllBytes(file);
        EngineConfig config = compute.toConfig();
        try (Engine engine = Engine.load(model.resolve(terminal), config)) {
            int window = config.contextLength() > 0
                    ? config.contextLength()
                    : Math.min(DEFAULT_WINDOW, engine.contextLength());
            report(Perplexity.measure(engine, engine.tokenizer().encode(text), window));
        }
        return 0;
    }

    private void report(Perplexity result) {
        double nats = result.negativeLogLikelihood() / result.numTokens();
        double tokensPerSecond = result.numTokens() / result.seconds();
        if (json) {
            ObjectNode object = JsonLines.MAPPER
                    .createObjectNode()
                    .put("perplexity", result.value())
                    .put("natsPerToken", nats)
                    .put("tokens", result.numTokens())
                    .put("tokensPerSecond", tokensPerSecond);
            terminal.out().println(JsonLines.MAPPER.writeValueAsString(object));
        } else {
            terminal.out()
                    .printf(
                            Locale.ROOT,
                            "perplexity %.4f (%.4f nats per token, %d tokens, %.1f tokens/s)%n",
                            result.value(),
                            nats,
                            result.numTokens(),
                            tokensPerSecond);
        }
    }
}
