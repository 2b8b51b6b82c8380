package dev.mixtral.chat;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoint.NamedTemplate;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.TokenizerVersion;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.regex.Pattern;

/// Chooses the chat template of a checkpoint.
///
/// A checkpoint without a template gets the instruct format of its vocabulary. So does one whose template is one of
/// Mistral's own: what those print was never what the models were trained on to the token (the space after `[/INST]`
/// is lost, look-alikes in user text become control tokens), the instruct formats are. Every other template is run as
/// it is, by a [ChatTemplateCompiler].
public final class ChatTemplates {
    private static final int MAX_SOURCE = 1 << 16;
    private static final Pattern LITERAL =
            Pattern.compile("'(?:[^'\\\\]++|\\\\.)*+'|\"(?:[^\"\\\\]++|\\\\.)*+\"", Pattern.DOTALL);

    private ChatTemplates() {}

    /// Returns the template of a checkpoint, lenient about the order of messages.
    ///
    /// @throws UnsupportedModelException if it has a foreign template and no compiler is there to run it
    public static ChatTemplate forCheckpoint(Checkpoint checkpoint, Tokenizer tokenizer) {
        return forTemplates(checkpoint.chatTemplates(), tokenizer);
    }

    /// Same, from the checkpoint's templates, the default first; may be empty.
    public static ChatTemplate forTemplates(List<NamedTemplate> templates, Tokenizer tokenizer) {
        Optional<NamedTemplate> chosen = templates.stream()
                .filter(template -> template.name().equals("default"))
                .findFirst()
                .or(() -> templates.stream().findFirst());
        if (chosen.isEmpty() || isMistrals(chosen.get().text(), tokenizer.version())) {
            return InstructTemplate.of(tokenizer);
        }
        return compiler().compile(chosen.get().text(), tokenizer);
    }

    private static ChatTemplateCompiler compiler() {
        return ServiceLoader.load(ChatTemplateCompiler.class, ChatTemplates.class.getClassLoader())
                .findFirst()
                .orElseThrow(() -> new UnsupportedModelException(
                        "the model has a chat template of its own, and nothing here can run it. Add the module"
                                + " mixtral-jinja, or choose one of Mistral's instruct formats if the model was"
                                + " trained on it."));
    }

    /// Recognises Mistral's templates, in all the forms they were published in, by what every one of them
    /// prints: `[INST]` and `[/INST]` around a user's text, and no other markers. A template that adds something
    /// of its own (`<<SYS>>`, `<|im_start|>`, a default system prompt) is not one.
    static boolean isMistrals(String source, TokenizerVersion version) {
        if (source.length() > MAX_SOURCE) {
            return false;
        }
        String code = without(source, "{#", "#}");
        boolean hasMarkers = code.contains("[INST]") && code.contains("[/INST]");
        boolean hasForeign = code.contains("<<SYS>>") || code.contains("<|") || code.contains("###");
        boolean hasTools = code.contains("[AVAILABLE_TOOLS]");
        boolean hasLaterFormat = code.contains("[SYSTEM_PROMPT]") || code.contains("[TOOL_CONTENT]");
        boolean fitsVersion = version != TokenizerVersion.V1 || !hasTools;
        return hasMarkers && !hasForeign && !hasLaterFormat && fitsVersion && !hasOwnWords(code);
    }

    /// A default system prompt is a literal of many words outside of error messages.
    private static boolean hasOwnWords(String code) {
        return LITERAL.matcher(without(code, "raise_exception", "}}"))
                .results()
                .anyMatch(
                        literal -> literal.group().chars().filter(c -> c == ' ').count() >= 6);
    }

    private static String without(String source, String start, String end) {
        StringBuilder rest = new StringBuilder(source.length());
        int from = 0;
        for (int at = source.indexOf(start); at >= 0; at = source.indexOf(start, from)) {
            int close = source.indexOf(end, at);
            if (close < 0) {
                break;
            }
            rest.append(source, from, at);
            from = close + end.length();
        }
        return rest.append(source, from, source.length()).toString();
    }
}
