/// Who computes what in the next forward pass: continuous batching (Orca, OSDI '22), chunked prefill, preemption, and a
/// fair order among clients, over a fixed number of blocks of keys and values.
///
/// Knows token ids, block numbers and budgets; neither tensors nor the model. May use `kvcache`. Entry class:
/// [dev.mixtral.scheduler.Scheduler].
@NullMarked
package dev.mixtral.scheduler;

import org.jspecify.annotations.NullMarked;
