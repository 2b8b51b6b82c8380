/// Tensors as published files hold them: an element type, a shape and a piece of mapped memory.
///
/// May use `error` only. Entry classes: [dev.mixtral.tensor.Tensor], [dev.mixtral.tensor.DType].
@NullMarked
package dev.mixtral.tensor;

import org.jspecify.annotations.NullMarked;
