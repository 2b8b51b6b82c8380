package dev.mixtral.cli;

import dev.mixtral.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/// Turns texts into token ids.
@Command(
        name = "tokenize",
        description = "Read {\"text\"} lines from stdin, write {\"ids\"} lines.",
        footer = {"", "MODEL may also be a bare tokenizer.model or tokenizer.json."})
final class TokenizeCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Option(names = "--bos", description = "Start with the beginning-of-sequence token.")
    private boolean bos;

    @Option(names = "--special", description = "Take what is spelled like a control token, such as </s>, for one.")
    private boolean special;

    TokenizeCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = Models.openTokenizer(model.resolve(terminal));
        SpecialTokens specialTokens = new SpecialTokens(tokenizer);
        return JsonLines.process(terminal, line -> {
            String text = JsonLines.text(line, "text");
            int[] ids = special ? specialTokens.encode(text) : tokenizer.encode(text);
            if (bos) {
                ids = IntStream.concat(IntStream.of(tokenizer.bosId()), IntStream.of(ids))
                        .toArray();
            }
            ObjectNode result = JsonLines.MAPPER.createObjectNode();
            result.set("ids", JsonLines.array(ids));
            return result;
        });
    }
}
