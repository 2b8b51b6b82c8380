package dev.mixtral.jinja;

import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.ChatTemplateCompiler;
import dev.mixtral.tokenizer.Tokenizer;

/// Makes [JinjaChatTemplate]s for the engine.
public final class JinjaTemplateCompiler implements ChatTemplateCompiler {
    /// Used by the service loader.
    public JinjaTemplateCompiler() {}

    @Override
    public ChatTemplate compile(String source, Tokenizer tokenizer) {
        return new JinjaChatTemplate(source, tokenizer);
    }
}
