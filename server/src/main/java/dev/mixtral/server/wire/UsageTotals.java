package dev.mixtral.server.wire;

import dev.mixtral.engine.Usage;
import dev.mixtral.server.Dialect;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ObjectNode;

/// What an answer took, all its choices together. Immutable.
///
/// @param numPromptTokens each prompt once, whatever the number of its choices
/// @param numCachedTokens of these, those found in the prefix cache
/// @param numGeneratedTokens of all choices, end tokens and stop texts included
/// @param ttftNanos time to the first token of the first choice
/// @param tokensPerSecond of the first choice
public record UsageTotals(
        int numPromptTokens, int numCachedTokens, int numGeneratedTokens, long ttftNanos, double tokensPerSecond) {

    /// Nothing at all.
    public static final UsageTotals NONE = new UsageTotals(0, 0, 0, 0, 0);

    /// Sums up usages.
    ///
    /// @param usages one per choice, the choices of each prompt side by side
    /// @param choicesPerPrompt number of choices that share a prompt
    public static UsageTotals of(List<Usage> usages, int choicesPerPrompt) {
        int prompt = 0;
        int cached = 0;
        int generated = 0;
        for (int i = 0; i < usages.size(); i++) {
            Usage usage = usages.get(i);
            generated += usage.numGeneratedTokens();
            if (i % choicesPerPrompt == 0) {
                prompt += usage.numPromptTokens();
                cached += usage.numCachedTokens();
            }
        }
        Usage first = usages.getFirst();
        return new UsageTotals(prompt, cached, generated, first.ttftNanos(), first.generatedTokensPerSecond());
    }

    /// Returns the `usage` object.
    ///
    /// @param withTiming whether it carries `x_timing`
    ObjectNode toJson(Dialect dialect, boolean withTiming) {
        ObjectNode usage = Json.object()
                .put("prompt_tokens", numPromptTokens)
                .put("completion_tokens", numGeneratedTokens)
                .put("total_tokens", numPromptTokens + numGeneratedTokens);
        usage.set(
                "prompt_tokens_details",
                Json.object().put("cached_tokens", numCachedTokens).put("audio_tokens", 0));
        usage.set(
                "completion_tokens_details",
                Json.object()
                        .put("reasoning_tokens", 0)
                        .put("audio_tokens", 0)
                        .put("accepted_prediction_tokens", 0)
                        .put("rejected_prediction_tokens", 0));
        if (dialect == Dialect.OPENROUTER) {
            usage.put("cost", 0);
            usage.set(
                    "cost_details",
                    Json.object()
                            .put("upstream_inference_cost", 0)
                            .put("upstream_inference_prompt_cost", 0)
                            .put("upstream_inference_completions_cost", 0));
            usage.put("is_byok", false);
        } else {
            usage.put("num_cached_tokens", numCachedTokens);
        }
        if (withTiming) {
            usage.set(
                    "x_timing",
                    Json.object()
                            .put("ttft_ms", rounded(ttftNanos / 1e6))
                            .put("tokens_per_second", rounded(tokensPerSecond)));
        }
        return usage;
    }

    private static double rounded(double value) {
        return Double.parseDouble(String.format(Locale.ROOT, "%.2f", value));
    }
}
