/// Training on PyTorch autograd: the differentiable model, the optimiser, the loop, and `mixtral-tiny` from
/// nothing.
///
/// May use the engine and `corpus`. Entry classes: [dev.mixtral.train.Training], and
/// [dev.mixtral.train.Trainer] for
/// other kinds of training.
@NullMarked
package dev.mixtral.train;

import org.jspecify.annotations.NullMarked;
