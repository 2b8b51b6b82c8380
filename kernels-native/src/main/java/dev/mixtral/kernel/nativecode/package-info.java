/// Kernels in C, called through the Foreign Function & Memory API. The only package that makes native calls.
///
/// Entry class: [dev.mixtral.kernel.nativecode.NativeKernelProvider], found by the service loader.
@NullMarked
package dev.mixtral.kernel.nativecode;

import org.jspecify.annotations.NullMarked;
