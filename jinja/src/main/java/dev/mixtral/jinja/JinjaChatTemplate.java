package dev.mixtral.jinja;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tokenizer.SpacePrefix;
import dev.mixtral.tokenizer.Tokenizer;
import java.time.Clock;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// A chat template in Jinja, run as Hugging Face's `apply_chat_template` runs it, but in a sandbox. Thread-safe.
///
/// Control tokens that the template writes become ids; what a message says never does, even if it spells one (see
/// [TokenMarks]). Everything between control tokens, template and messages together, is encoded as one text. The
/// template is rendered twice, as it is and with marks; should the two differ in more than the marks, because the
/// template looks at its own tokens (`if '</s>' in text`), or puts one together from parts (`'<' + x + '>'`), it is
/// refused rather than guessed at. BOS is there if the template writes it.
public final class JinjaChatTemplate implements ChatTemplate {
    /// Published templates have up to about 20 KB.
    private static final int MAX_SOURCE = 1 << 16;

    private final String source;
    private final Tokenizer tokenizer;
    private final Sandbox sandbox;
    private final List<Integer> controls;
    private final List<String> spellings;

    /// @param source Jinja source, untrusted
    /// @param tokenizer makes the ids
    /// @throws UnsupportedModelException if the source is too large
    public JinjaChatTemplate(String source, Tokenizer tokenizer) {
        this(source, tokenizer, Clock.system(ZoneId.systemDefault()));
    }

    /// Same with a clock for `strftime_now`.
    public JinjaChatTemplate(String source, Tokenizer tokenizer, Clock clock) {
        if (source.length() > MAX_SOURCE) {
            throw new UnsupportedModelException("the model's chat template has " + source.length()
                    + " characters; the limit is " + MAX_SOURCE + ". Choose one of Mistral's instruct formats.");
        }
        // As Jinja's keep_trailing_newline = False.
        this.source = source.endsWith("\n") ? source.substring(0, source.length() - 1) : source;
        this.tokenizer = tokenizer;
        this.sandbox = new Sandbox(clock);
        this.controls = TokenMarks.controlsOf(tokenizer, source);
        this.spellings = IntStream.range(0, tokenizer.vocabSize())
                .filter(id -> TokenMarks.isControl(tokenizer, id))
                .mapToObj(tokenizer::piece)
                .toList();
    }

    /// Renders a conversation. An assistant message at the end is left open for the model to go on with.
    @Override
    public Prompt render(List<Message> messages, List<ToolDefinition> tools) {
        boolean isOpen = !messages.isEmpty() && messages.getLast() instanceof AssistantMessage;
        Map<String, Object> bindings = bindings(messages, tools, !isOpen);
        TokenMarks marks = marks(bindings);
        String marked = renderMarked(bindings, marks);
        if (isOpen && messages.getLast() instanceof AssistantMessage answer) {
            String content = answer.content() == null ? "" : answer.content().strip();
            int at = content.isEmpty() ? -1 : marked.lastIndexOf(content);
            if (at < 0) {
                throw Sandbox.refused("it does not write the last assistant message, which is to be continued");
            }
            marked = marked.substring(0, at + content.length());
        }
        return prompt(marked, marks);
    }

    /// Renders messages as they are, the last one closed whatever it is; for comparisons.
    ///
    /// @param addGenerationPrompt whether the template is to open the model's answer
    public Prompt renderAsIs(List<Message> messages, List<ToolDefinition> tools, boolean addGenerationPrompt) {
        Map<String, Object> bindings = bindings(messages, tools, addGenerationPrompt);
        TokenMarks marks = marks(bindings);
        return prompt(renderMarked(bindings, marks), marks);
    }

    private static Map<String, Object> bindings(
            List<Message> messages, List<ToolDefinition> tools, boolean addGenerationPrompt) {
        Map<String, Object> bindings = new LinkedHashMap<>();
        bindings.put("messages", messages.stream().map(MessageValues::of).toList());
        bindings.put("add_generation_prompt", addGenerationPrompt);
        if (!tools.isEmpty()) {
            bindings.put("tools", tools.stream().map(MessageValues::of).toList());
        }
        return bindings;
    }

    /// Returns marks that occur neither in the template nor in any value it can see.
    private TokenMarks marks(Map<String, Object> bindings) {
        return TokenMarks.of(tokenizer, controls, List.of(source, bindings.toString()));
    }

    private String renderMarked(Map<String, Object> bindings, TokenMarks marks) {
        String marked = sandbox.run(() -> {
            String plain = sandbox.render(source, withTokens(bindings, text -> text));
            String result = sandbox.render(marks.mark(source), withTokens(bindings, marks::mark));
            if (!marks.spell(result).equals(plain)) {
                throw new RenderAbort("it looks at the control tokens that it writes");
            }
            return result;
        });
        checkComposed(marked, bindings.toString());
        return marked;
    }

    /// Refuses a control token that stands in the text though neither the template's source nor a message spells it:
    /// it was put together from parts, and nobody can say whether it is meant as a token.
    private void checkComposed(String marked, String values) {
        for (String spelling : spellings) {
            if (marked.contains(spelling) && !values.contains(spelling)) {
                throw Sandbox.refused("it puts the control token " + spelling + " together from parts");
            }
        }
    }

    private Map<String, Object> withTokens(Map<String, Object> bindings, UnaryOperator<String> spelling) {
        Map<String, Object> all = new LinkedHashMap<>(bindings);
        all.put("bos_token", spelling.apply(tokenizer.piece(tokenizer.bosId())));
        all.put("eos_token", spelling.apply(tokenizer.piece(tokenizer.eosId())));
        all.put("unk_token", spelling.apply(tokenizer.piece(tokenizer.unknownId())));
        return all;
    }

    private Prompt prompt(String marked, TokenMarks marks) {
        IntStream.Builder ids = IntStream.builder();
        int from = 0;
        for (int i = 0; i <= marked.length(); i++) {
            int id = i < marked.length() ? marks.id(marked.charAt(i)) : -1;
            if (i == marked.length() || id >= 0) {
                encode(marked.substring(from, i), from == 0, ids);
                from = i + 1;
            }
            if (id >= 0) {
                ids.add(id);
            }
        }
        return new Prompt(ids.build().toArray(), marks.spell(marked));
    }

    private void encode(String text, boolean isStart, IntStream.Builder ids) {
        boolean hasPrefix = tokenizer.spacePrefix() == SpacePrefix.EVERY_PART || (isStart && !text.startsWith(" "));
        for (int id : hasPrefix ? tokenizer.encode(text) : tokenizer.encodeContinuation(text)) {
            ids.add(id);
        }
    }
}
