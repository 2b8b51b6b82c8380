package dev.mixtral.engine;

import dev.mixtral.sampling.SamplingParams;

/// What to generate.
///
/// @param prompt token ids, BOS included; at least one
/// @param params how to choose tokens and when to stop
public record GenerationRequest(int[] prompt, SamplingParams params) {}
