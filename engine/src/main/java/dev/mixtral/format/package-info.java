/// Checkpoints as they are published: safetensors in Hugging Face and Mistral layout, and GGUF.
///
/// May use `error` and `tensor`. Entry class: [dev.mixtral.format.Checkpoint].
@NullMarked
package dev.mixtral.format;

import org.jspecify.annotations.NullMarked;
