package dev.mixtral.cli;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Measures how well a model predicts a text.
///
/// The text is cut into windows that do not overlap; each starts with BOS and scores all of its tokens given those
/// before them in the window. Perplexity is the exponential of the mean negative log-likelihood per token.
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

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "Tokens of a window, BOS included. Default: 2048, or the model's context if that is smaller.")
    private @Nullable Integer context;

    @Option(names = "--json", description = "Write one JSON object.")
    private boolean json;

    PerplexityCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        try (Checkpoint checkpoint = Checkpoints.open(model.resolve(terminal));
                LoadedModel loaded = new LoadedModel(checkpoint, compute)) {
            int limit = checkpoint.config().contextLength();
            int window = context == null ? Math.min(DEFAULT_WINDOW, limit) : context;
            Usage.require(window > 1 && window <= limit, "--context: expected 2 to " + limit + ", got " + window);
            Tokenizer tokenizer = Models.tokenizer(checkpoint);
            int[] ids = tokenizer.encode(Files.readAllBytes(file));
            Usage.require(ids.length > 0, "-f: " + file + " is empty");
            report(score(loaded, tokenizer.bosId(), ids, window));
        }
        return 0;
    }

    /// @param numTokens tokens scored
    /// @param nats sum of their negative log-likelihoods
    private record Score(int numTokens, double nats, double seconds) {}

    private static Score score(LoadedModel loaded, int bosId, int[] ids, int window) {
        long start = System.nanoTime();
        double[] nats = new double[1];
        for (int from = 0; from < ids.length; from += window - 1) {
            int count = Math.min(window - 1, ids.length - from);
            int[] input = new int[count];
            input[0] = bosId;
            System.arraycopy(ids, from, input, 1, count - 1);
            int offset = from;
            loaded.forEachLogits(
                    input, true, (i, logits, row) -> nats[0] += negativeLogLikelihood(logits, row, ids[offset + i]));
        }
        return new Score(ids.length, nats[0], (System.nanoTime() - start) / 1e9);
    }

    private static double negativeLogLikelihood(FloatMatrix logits, int row, int id) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.cols(); i++) {
            max = Math.max(max, logits.get(row, i));
        }
        double sum = 0;
        for (int i = 0; i < logits.cols(); i++) {
            sum += Math.exp(logits.get(row, i) - max);
        }
        return Math.log(sum) + max - logits.get(row, id);
    }

    private void report(Score score) {
        double perToken = score.nats() / score.numTokens();
        double tokensPerSecond = score.numTokens() / score.seconds();
        if (json) {
            terminal.out()
                    .println(JsonLines.MAPPER.writeValueAsString(JsonLines.MAPPER
                            .createObjectNode()
                            .put("perplexity", Math.exp(perToken))
                            .put("natsPerToken", perToken)
                            .put("tokens", score.numTokens())
                            .put("tokensPerSecond", tokensPerSecond)));
        } else {
            terminal.out()
                    .printf(
                            Locale.ROOT,
                            "perplexity %.4f (%.4f nats per token, %d tokens, %.1f tokens/s)%n",
                            Math.exp(perToken),
                            perToken,
                            score.numTokens(),
                            tokensPerSecond);
        }
    }
}
