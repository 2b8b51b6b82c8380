package dev.mixtral.cli;

import dev.mixtral.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Turns token ids back into text.
@Command(
        name = "detokenize",
        description = "Read {\"ids\"} lines from stdin, write {\"text\"} lines.",
        footer = {"", "MODEL may also be a bare tokenizer.model or tokenizer.json. Control tokens have no text."})
final class DetokenizeCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    DetokenizeCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = Models.openTokenizer(model.resolve(terminal));
        return JsonLines.process(terminal, line -> {
            int[] ids = JsonLines.ids(line, "ids", tokenizer.vocabSize());
            return JsonLines.MAPPER.createObjectNode().put("text", tokenizer.decode(ids));
        });
    }
}
