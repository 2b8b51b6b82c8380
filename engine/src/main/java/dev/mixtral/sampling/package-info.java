/// From logits to the next token: penalties, truncation, and a draw that a seed fixes.
///
/// Depends on the JDK and `error`. Entry classes: [dev.mixtral.sampling.SamplingParams],
/// [dev.mixtral.sampling.Sampler].
@NullMarked
package dev.mixtral.sampling;

import org.jspecify.annotations.NullMarked;
