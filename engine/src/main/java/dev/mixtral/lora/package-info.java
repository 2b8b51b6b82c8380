/// Low-rank adapters (LoRA, arXiv 2106.09685): what they are, the files they come in, and how they fit a model.
///
/// May use `error`, `tensor` and `format`. Entry class: [dev.mixtral.lora.LoraFiles].
@NullMarked
package dev.mixtral.lora;

import org.jspecify.annotations.NullMarked;
