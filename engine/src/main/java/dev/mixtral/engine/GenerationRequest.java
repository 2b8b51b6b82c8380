package dev.mixtral.engine;

import dev.mixtral.sampling.SamplingParams;
import org.jspecify.annotations.Nullable;

/// What to generate.
///
/// @param prompt token ids, BOS included; at least one
/// @param params how to choose tokens and when to stop
/// @param client whom the request belongs to, for a fair order among clients; empty if unknown
/// @param routing whether [GenerationEvent.Routed] events are wanted
/// @param continuation whether the text goes on with the prompt's last token, so that a leading space belongs to it;
///     else it is an answer of its own, which loses the dummy space that every text starts with
/// @param adapter name of the adapter to apply ([Engine#loadAdapter]); empty for the model itself
/// @param constraint what the answer must look like, or `null` for anything
public record GenerationRequest(
        int[] prompt,
        SamplingParams params,
        String client,
        boolean routing,
        boolean continuation,
        String adapter,
        @Nullable OutputConstraint constraint) {
    /// Makes a request of an unknown client for a free answer of the model itself and of its own, without routing.
    public GenerationRequest(int[] prompt, SamplingParams params) {
        this(prompt, params, "", false, false, "", null);
    }

    /// Returns a copy that belongs to a client.
    public GenerationRequest withClient(String name) {
        return new GenerationRequest(prompt, params, name, routing, continuation, adapter, constraint);
    }

    /// Returns a copy with or without [GenerationEvent.Routed] events.
    public GenerationRequest withRouting(boolean value) {
        return new GenerationRequest(prompt, params, client, value, continuation, adapter, constraint);
    }

    /// Returns a copy whose text goes on with the prompt, or is an answer of its own.
    public GenerationRequest withContinuation(boolean value) {
        return new GenerationRequest(prompt, params, client, routing, value, adapter, constraint);
    }

    /// Returns a copy for an adapter of that name, or for the model itself if it is empty.
    public GenerationRequest withAdapter(String name) {
        return new GenerationRequest(prompt, params, client, routing, continuation, name, constraint);
    }

    /// Returns a copy whose answer is bound by a constraint, or by none.
    public GenerationRequest withConstraint(@Nullable OutputConstraint value) {
        return new GenerationRequest(prompt, params, client, routing, continuation, adapter, value);
    }
}
