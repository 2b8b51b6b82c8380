/// Makes smaller models: floats to quantisation blocks, whole checkpoints to GGUF files.
///
/// The block encoders follow ggml's reference algorithms (`ggml-quants.c` of ggml-org/ggml); the decoder
/// [dev.mixtral.tensor.Dequantizer] is their inverse and specifies the layouts. May use `error`, `tensor`, `format`
/// and `tokenizer`. Entry classes: [dev.mixtral.quantize.ModelQuantizer] for models,
/// [dev.mixtral.quantize.BlockQuantizer] for rows of floats.
@NullMarked
package dev.mixtral.quantize;

import org.jspecify.annotations.NullMarked;
