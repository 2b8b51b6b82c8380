package dev.mixtral.chat;

import dev.mixtral.tokenizer.Tokenizer;

/// Makes chat templates from Jinja source: a service, so that embedders who need none carry no Jinja library.
///
/// Implementations must treat the source as untrusted. Found by [java.util.ServiceLoader].
public interface ChatTemplateCompiler {
    /// Returns the template.
    ///
    /// @param source Jinja source out of a model file
    /// @param tokenizer makes the ids
    /// @throws dev.mixtral.error.MixtralException if the source cannot be a chat template
    ChatTemplate compile(String source, Tokenizer tokenizer);
}
