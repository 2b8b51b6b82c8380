/// The numeric kernels and the threads they run on.
///
/// [dev.mixtral.kernel.Kernels] is the whole numeric interface: the scalar implementation specifies it, faster ones
/// are compared with it. Kernels neither allocate nor start threads; [dev.mixtral.kernel.ThreadTeam] splits the
/// work.
///
/// | symbol | meaning |
/// |---|---|
/// | `T` | rows of the batch: prompt tokens, or one token of each running sequence |
/// | `D` | `dim`, the width of the residual stream |
/// | `F` | `ffnDim`, the inner width of an expert |
/// | `H`, `K` | `numHeads`, `numKvHeads` |
///
/// May use `error`, `tensor` and `kvcache`.
@NullMarked
package dev.mixtral.kernel;

import org.jspecify.annotations.NullMarked;
