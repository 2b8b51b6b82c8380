package dev.mixtral.server.wire;

import dev.mixtral.sampling.SamplingParams;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How a request wants its tokens chosen, the same for all its choices. Immutable.
///
/// @param temperature 0 for the most probable token every time
/// @param topP kept probability mass
/// @param topK kept tokens; 0 for all
/// @param minP share of the best token's probability; 0 for all
/// @param typicalP mass of the typical tokens that are kept; 1 for all
/// @param repetitionPenalty 1 for none
/// @param presencePenalty over generated tokens
/// @param frequencyPenalty over generated tokens
/// @param logitBias by token id, −100 to 100
/// @param seed `null` for a random one
/// @param maxTokens most tokens to generate; `null` for as many as the context holds
/// @param stop texts that end the answer
/// @param topLogprobs alternatives to report with each token; `null` for no log-probabilities
public record Sampling(
        double temperature,
        double topP,
        int topK,
        double minP,
        double typicalP,
        double repetitionPenalty,
        double presencePenalty,
        double frequencyPenalty,
        Map<Integer, Float> logitBias,
        @Nullable Long seed,
        @Nullable Integer maxTokens,
        List<String> stop,
        @Nullable Integer topLogprobs) {
    /// What OpenAI's bounds of ±100 promise is a ban or a certainty; a logit of 100 would only make it likely.
    private static final float CERTAIN = 1e4f;

    private static final float BOUND = 100;

    public Sampling {
        logitBias = Map.copyOf(logitBias);
        stop = List.copyOf(stop);
    }

    /// Returns the engine's parameters for one choice.
    ///
    /// @param choice the first choice uses the seed itself, each other one a seed derived from it
    /// @param bannedId a token that must not appear; −1 for none
    public SamplingParams params(int choice, int bannedId) {
        Map<Integer, Float> bias = new HashMap<>();
        logitBias.forEach((id, value) -> bias.put(id, Math.abs(value) >= BOUND ? Math.signum(value) * CERTAIN : value));
        if (bannedId >= 0) {
            bias.put(bannedId, -CERTAIN);
        }
        return SamplingParams.builder()
                .temperature(temperature)
                // No mass at all still keeps the best token.
                .topP(topP)
                .topK(topK)
                .minP(minP)
                .typicalP(typicalP)
                .repetitionPenalty(repetitionPenalty)
                .presencePenalty(presencePenalty)
                .frequencyPenalty(frequencyPenalty)
                .logitBias(bias)
                .seed(seed == null ? null : choiceSeed(seed, choice))
                .maxTokens(maxTokens == null ? 0 : maxTokens)
                .stop(stop)
                .topLogprobs(topLogprobs)
                .build();
    }

    /// SplitMix64's finaliser: neighbouring seeds have unrelated choices.
    static long choiceSeed(long seed, int choice) {
        if (choice == 0) {
            return seed;
        }
        long z = seed + choice * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
