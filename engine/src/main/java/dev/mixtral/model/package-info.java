/// The model itself: Mixtral's forward pass (Mixtral of Experts, arXiv 2401.04088).
///
/// Read in this order: [dev.mixtral.model.Mixtral], [dev.mixtral.model.TransformerBlock],
/// [dev.mixtral.model.Attention], [dev.mixtral.model.SparseMoe], [dev.mixtral.model.Router],
/// [dev.mixtral.model.Expert], [dev.mixtral.model.LowRank]. May use `error`, `tensor`, `format`, `lora`, `kernel` and
/// `kvcache`; knows nothing of requests and schedules.
@NullMarked
package dev.mixtral.model;

import org.jspecify.annotations.NullMarked;
