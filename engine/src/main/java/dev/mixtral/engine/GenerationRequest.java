package dev.mixtral.engine;

import dev.mixtral.sampling.SamplingParams;

/// What to generate.
///
/// @param prompt token ids, BOS included; at least one
/// @param params how to choose tokens and when to stop
/// @param client whom the request belongs to, for a fair order among clients; empty if unknown
/// @param routing whether [GenerationEvent.Routed] events are wanted
public record GenerationRequest(int[] prompt, SamplingParams params, String client, boolean routing) {
    /// Makes a request of an unknown client, without routing.
    public GenerationRequest(int[] prompt, SamplingParams params) {
        this(prompt, params, "", false);
    }

    /// Returns a copy that belongs to a client.
    public GenerationRequest withClient(String name) {
        return new GenerationRequest(prompt, params, name, routing);
    }

    /// Returns a copy with or without [GenerationEvent.Routed] events.
    public GenerationRequest withRouting(boolean value) {
        return new GenerationRequest(prompt, params, client, value);
    }
}
