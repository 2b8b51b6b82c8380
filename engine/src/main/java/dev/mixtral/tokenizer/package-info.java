/// Text to token ids and back: SentencePiece BPE with byte fallback, as Mistral's models use it.
///
/// May use `error`, `tensor` and `format`. Entry class: [dev.mixtral.tokenizer.Tokenizer].
@NullMarked
package dev.mixtral.tokenizer;

import org.jspecify.annotations.NullMarked;
