/// Conversations and the exact prompts made of them: messages, tools, Mistral's `[INST]` templates.
///
/// May use `error`, `tensor`, `format` and `tokenizer`. Entry classes: [dev.mixtral.chat.Message],
/// [dev.mixtral.chat.ChatTemplate].
@NullMarked
package dev.mixtral.chat;

import org.jspecify.annotations.NullMarked;
