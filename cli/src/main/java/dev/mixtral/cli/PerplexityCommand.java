package dev.mixtral.cli;

import dev.mixtral.chat.ChatJson;
import dev.mixtral.engine.Engine;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.engine.Perplexity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/// Measures how well a model predicts a text, or answers in conversations.
///
/// A text is cut into windows of `--context` tokens that do not overlap, see [Perplexity#measure].
@Command(
        name = "perplexity",
        description = "Measure how well the model predicts a text, or answers: perplexity, and tokens/s.")
final class PerplexityCommand implements Callable<Integer> {
    private static final int DEFAULT_WINDOW = 2048;

    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    @Mixin
    private final LoraOption lora = new LoraOption();

    @ArgGroup(multiplicity = "1")
    private Source source = new Source();

    /// What is to be predicted.
    private static final class Source {
        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "UTF-8 text.")
        private @Nullable Path text;

        @Option(
                names = "--chats",
                paramLabel = "FILE",
                description =
                        "Conversations, a {\"messages\",\"tools\"?} object per line; the last message of each, the"
                                + " assistant's, is what is predicted.")
        private @Nullable Path chats;
    }

    @Option(names = "--json", description = "Write one JSON object.")
    private boolean json;

    PerplexityCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        List<ChatJson.Request> conversations = source.chats == null ? List.of() : readConversations(source.chats);
        byte[] text = source.text == null ? new byte[0] : Files.readAllBytes(source.text);
        EngineConfig config = compute.toConfig();
        try (Engine engine = Engine.load(model.resolve(terminal), config)) {
            String adapter = lora.load(engine);
            if (source.chats != null) {
                report(Perplexity.ofAnswers(engine, adapter, conversations));
                return 0;
            }
            int window = config.contextLength() > 0
                    ? config.contextLength()
                    : Math.min(DEFAULT_WINDOW, engine.contextLength());
            report(Perplexity.measure(engine, adapter, engine.tokenizer().encode(text), window));
        }
        return 0;
    }

    private static List<ChatJson.Request> readConversations(Path file) throws IOException {
        List<ChatJson.Request> conversations = new ArrayList<>();
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isBlank()) {
                conversations.add(JsonLines.conversation(lines.get(i), file + ", line " + (i + 1)));
            }
        }
        return conversations;
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
