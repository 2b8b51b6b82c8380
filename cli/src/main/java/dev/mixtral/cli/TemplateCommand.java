package dev.mixtral.cli;

import dev.mixtral.chat.ChatJson;
import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.tokenizer.TokenizerVersion;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/// Shows what a conversation becomes before the model sees it.
@Command(
        name = "template",
        description = "Read {\"messages\",\"tools\"?} lines from stdin, write {\"text\",\"ids\"} lines.",
        footer = {"", "MODEL may also be a bare tokenizer.model or tokenizer.json."})
final class TemplateCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Option(
            names = "--version",
            paramLabel = "v1|v2|v3",
            description = "Mistral's instruct format. Default: the model's own template; with --strict, or for a bare "
                    + "tokenizer, the format that the vocabulary was made for.")
    private @Nullable TokenizerVersion version;

    @Option(
            names = "--strict",
            description = "Reject what Mistral's own validator rejects, instead of reordering and joining messages.")
    private boolean strict;

    TemplateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        ChatTemplate template = Models.openTemplate(model.resolve(terminal), version, strict);
        ChatJson json = strict ? ChatJson.likeMistralCommon() : ChatJson.forApi();
        return JsonLines.process(terminal, line -> {
            ChatJson.Request request = json.read(line);
            ChatTemplate.Prompt prompt = template.render(request.messages(), request.tools());
            ObjectNode result = JsonLines.MAPPER.createObjectNode().put("text", prompt.text());
            result.set("ids", JsonLines.array(prompt.ids()));
            return result;
        });
    }
}
