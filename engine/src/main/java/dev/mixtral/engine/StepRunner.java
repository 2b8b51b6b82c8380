package dev.mixtral.engine;

import dev.mixtral.scheduler.SchedulerOutput;
import dev.mixtral.tensor.FloatMatrix;
import java.util.List;

/// Computes what the scheduler decided on. Confined to the engine's thread.
interface StepRunner {
    /// Runs one forward pass.
    ///
    /// @param output what to compute
    /// @param sequences the sequence of each chunk
    /// @return `[≥ n, vocabSize]`, the logits behind the `n` chunks that sample, in order; valid until the next
    ///     call
    FloatMatrix run(SchedulerOutput output, List<Sequence> sequences);
}
