package dev.mixtral.cli;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.OutputConstraint;
import dev.mixtral.grammar.Grammar;
import dev.mixtral.sampling.SamplingParams;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Talks with a model.
@Command(
        name = "chat",
        description = "Chat with a model. Ctrl-C ends an answer, a second one the program.",
        footer = {"", "Where stdin is not a terminal, its text is one message, which is answered."})
final class ChatCommand implements Callable<Integer> {
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

    @Option(names = "--system", paramLabel = "TEXT", description = "Instructions for the model.")
    private @Nullable String system;

    ChatCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        SamplingParams params = sampling.toParams(null);
        Optional<Grammar> form = grammar.read();
        Path path = model.resolve(terminal);
        try (Engine engine = Engine.load(path, compute.toConfigOfOneReader())) {
            @Nullable OutputConstraint constraint = GrammarOptions.constraint(form, engine, terminal);
            ChatSession session = new ChatSession(engine, lora.load(engine), params, constraint, system, terminal);
            if (terminal.inputIsTerminal()) {
                terminal.err()
                        .println(path.getFileName() + ", "
                                + Sizes.count(engine.modelConfig().numParameters()) + " parameters, "
                                + engine.kernels().kernels().name() + " kernels, " + engine.numThreads()
                                + " threads. /help lists the commands.");
                try (LineSource lines = new JLineSource(terminal.err())) {
                    session.run(lines);
                }
            } else {
                session.answer(new String(terminal.in().readAllBytes(), StandardCharsets.UTF_8).strip());
            }
        }
        return 0;
    }
}
