/// Safetensors: a JSON header and raw tensors in one file, or in several under one index.
///
/// Specification: the README of huggingface/safetensors. May use `error`, `tensor` and `format.io`. Entry classes:
/// [dev.mixtral.format.safetensors.SafetensorsFile], [dev.mixtral.format.safetensors.SafetensorsIndex],
/// [dev.mixtral.format.safetensors.SafetensorsWriter].
@NullMarked
package dev.mixtral.format.safetensors;

import org.jspecify.annotations.NullMarked;
