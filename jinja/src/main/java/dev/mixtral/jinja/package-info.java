/// Foreign chat templates: Jinja source out of a model file, run in a sandbox.
///
/// May use `error`, `tokenizer` and `chat` of the engine, and Jinjava. Found through
/// [dev.mixtral.chat.ChatTemplateCompiler]. Entry class: [dev.mixtral.jinja.JinjaChatTemplate].
@NullMarked
package dev.mixtral.jinja;

import org.jspecify.annotations.NullMarked;
