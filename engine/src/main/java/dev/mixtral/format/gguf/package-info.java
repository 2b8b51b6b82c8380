/// GGUF, the container of llama.cpp: typed metadata and tensors in one file, or in several.
///
/// Specification: `docs/gguf.md` of ggml-org/ggml. May use `error`, `tensor` and `format.io`. Entry classes:
/// [dev.mixtral.format.gguf.GgufFile], [dev.mixtral.format.gguf.GgufWriter].
@NullMarked
package dev.mixtral.format.gguf;

import org.jspecify.annotations.NullMarked;
