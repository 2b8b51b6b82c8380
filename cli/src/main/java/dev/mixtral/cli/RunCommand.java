package dev.mixtral.cli;

import dev.mixtral.chat.ChatJson;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.engine.Engine;
import dev.mixtral.engine.Generation;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.grammar.Grammar;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Generates once: an answer to one chat turn, or the continuation of a text.
@Command(
        name = "run",
        description = "Answer one prompt and end. The answer goes to stdout as it is generated.",
        footer = {"", "The prompt comes from -p, from -f, or from stdin."})
final class RunCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private final LoraOption lora = new LoraOption();

    @Mixin
    private final GrammarOptions grammar = new GrammarOptions();

    @ArgGroup
    private Prompt prompt = new Prompt();

    @Option(names = "--raw", description = "Continue the text behind BOS, instead of answering it as a chat turn.")
    private boolean raw;

    @Option(names = "--system", paramLabel = "TEXT", description = "Instructions for the chat turn.")
    private @Nullable String system;

    @Option(names = "--tools", paramLabel = "FILE", description = "JSON array of functions that the model may call.")
    private @Nullable Path tools;

    @Option(names = "--logprobs", paramLabel = "N", description = "With --json: log-probabilities, and N rivals each.")
    private @Nullable Integer logprobs;

    @Option(names = "--json", description = "Write one JSON object at the end.")
    private boolean json;

    /// One of them, or stdin.
    private static final class Prompt {
        @Option(
                names = {"-p", "--prompt"},
                paramLabel = "TEXT",
                description = "The prompt.")
        private @Nullable String text;

        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "File with the prompt, UTF-8.")
        private @Nullable Path file;
    }

    RunCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        OptionChecks.require(!raw || (system == null && tools == null), "--raw takes neither --system nor --tools");
        OptionChecks.require(json || logprobs == null, "--logprobs needs --json");
        OptionChecks.require(
                tools == null || !grammar.isGiven(),
                "--tools takes none of --schema, --choice, --regex and --grammar: an answer held to them calls nothing");
        SamplingParams params = sampling.toParams(logprobs);
        String text = promptText();
        List<ToolDefinition> functions = tools();
        Optional<Grammar> form = grammar.read();
        try (Engine engine = Engine.load(model.resolve(terminal), compute.toConfigOfOneReader());
                Generation generation = engine.generate(request(engine, text, functions, params)
                        .withAdapter(lora.load(engine))
                        .withConstraint(GrammarOptions.constraint(form, engine, terminal)))) {
            Answer answer = new Answer(engine.tokenizer());
            for (GenerationEvent event : generation) {
                answer.add(event);
                if (!json && event instanceof TextDelta delta) {
                    terminal.out().print(delta.text());
                    terminal.out().flush();
                }
            }
            if (json) {
                terminal.out().println(JsonLines.MAPPER.writeValueAsString(answer.toJson(generation.generatedIds())));
            } else {
                answer.toolCallsText().ifPresent(terminal.out()::print);
                terminal.out().println();
            }
            if (terminal.errorIsTerminal()) {
                terminal.err().println(answer.statistics());
            }
        }
        return 0;
    }

    private String promptText() throws IOException {
        if (prompt.text != null) {
            return prompt.text;
        }
        return prompt.file != null
                ? Files.readString(prompt.file)
                : new String(terminal.in().readAllBytes(), StandardCharsets.UTF_8);
    }

    private List<ToolDefinition> tools() throws IOException {
        return tools == null
                ? List.of()
                : ChatJson.forApi().tools(OptionFiles.json("--tools", tools, JsonLines.MAPPER));
    }

    private GenerationRequest request(
            Engine engine, String text, List<ToolDefinition> functions, SamplingParams params) {
        if (raw) {
            Tokenizer tokenizer = engine.tokenizer();
            IntStream ids = IntStream.concat(IntStream.of(tokenizer.bosId()), IntStream.of(tokenizer.encode(text)));
            return new GenerationRequest(ids.toArray(), params);
        }
        List<Message> messages = new ArrayList<>();
        if (system != null) {
            messages.add(Message.system(system));
        }
        messages.add(Message.user(text));
        return engine.chat(messages, functions, params);
    }
}
