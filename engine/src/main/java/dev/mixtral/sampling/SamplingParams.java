package dev.mixtral.sampling;

import dev.mixtral.error.InvalidRequestException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How the next token is chosen and when a generation ends. Immutable; made with [#builder()].
///
/// Applied in this order: logit bias, repetition, frequency and presence penalties, temperature, top-k, top-p, min-p,
/// typical, draw.
///
/// @param temperature divides the logits; 0 takes the largest logit, the lowest id on ties
/// @param topP keeps the smallest set of tokens whose probabilities sum to at least this; 1 keeps all
/// @param topK keeps this many most probable tokens; 0 keeps all
/// @param minP drops tokens less probable than this share of the most probable one; 0 keeps all
/// @param typicalP keeps the tokens whose information is closest to the expected, up to this mass
///     (locally typical sampling, arXiv 2202.00666); 1 keeps all
/// @param repetitionPenalty divides positive and multiplies negative logits of tokens in prompt or answer (CTRL,
///     arXiv 1909.05858); 1 changes nothing
/// @param presencePenalty is taken off the logit of every token already generated
/// @param frequencyPenalty is taken off the logit for each time the token was generated
/// @param logitBias is added to the logits of these ids
/// @param seed fixes the draws; `null` for a random one
/// @param maxTokens most tokens to generate; 0 for as many as the context holds
/// @param stop texts that end the generation, not part of it
/// @param topLogprobs most probable tokens to report with each token; 0 for the token itself only, `null` for none
public record SamplingParams(
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
        int maxTokens,
        List<String> stop,
        @Nullable Integer topLogprobs) {

    private static final int MAX_TOP_LOGPROBS = 20;

    /// Checks the ranges.
    ///
    /// @throws InvalidRequestException naming the parameter that is out of range
    public SamplingParams {
        range("temperature", temperature, 0, 100);
        range("topP", topP, 0, 1);
        range("topK", topK, 0, Integer.MAX_VALUE);
        range("minP", minP, 0, 1);
        range("typicalP", typicalP, 0, 1);
        range("repetitionPenalty", repetitionPenalty, 1e-3, 1e3);
        range("presencePenalty", presencePenalty, -100, 100);
        range("frequencyPenalty", frequencyPenalty, -100, 100);
        range("maxTokens", maxTokens, 0, Integer.MAX_VALUE);
        range("topLogprobs", topLogprobs == null ? 0 : topLogprobs, 0, MAX_TOP_LOGPROBS);
        logitBias.forEach((id, bias) -> range("logitBias[" + id + "]", bias, -1e6, 1e6));
        logitBias = Map.copyOf(logitBias);
        stop = stop.stream().filter(text -> !text.isEmpty()).toList();
    }

    private static void range(String param, double value, double min, double max) {
        if (!(value >= min && value <= max)) {
            throw new InvalidRequestException(
                    param,
                    param + " must be between " + number(min) + " and " + number(max) + ", got " + number(value));
        }
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    /// Returns a builder whose defaults draw from the model's own distribution: temperature 1, nothing cut off.
    public static Builder builder() {
        return new Builder();
    }

    /// Returns a builder whose defaults take the most probable token every time.
    public static Builder greedy() {
        return new Builder().temperature(0);
    }

    /// Collects parameters; every method sets the one of its name.
    public static final class Builder {
        private double temperature = 1;
        private double topP = 1;
        private int topK;
        private double minP;
        private double typicalP = 1;
        private double repetitionPenalty = 1;
        private double presencePenalty;
        private double frequencyPenalty;
        private Map<Integer, Float> logitBias = Map.of();
        private @Nullable Long seed;
        private int maxTokens;
        private List<String> stop = List.of();
        private @Nullable Integer topLogprobs;

        private Builder() {}

        /// See [SamplingParams#temperature()].
        public Builder temperature(double value) {
            temperature = value;
            return this;
        }

        /// See [SamplingParams#topP()].
        public Builder topP(double value) {
            topP = value;
            return this;
        }

        /// See [SamplingParams#topK()].
        public Builder topK(int value) {
            topK = value;
            return this;
        }

        /// See [SamplingParams#minP()].
        public Builder minP(double value) {
            minP = value;
            return this;
        }

        /// See [SamplingParams#typicalP()].
        public Builder typicalP(double value) {
            typicalP = value;
            return this;
        }

        /// See [SamplingParams#repetitionPenalty()].
        public Builder repetitionPenalty(double value) {
            repetitionPenalty = value;
            return this;
        }

        /// See [SamplingParams#presencePenalty()].
        public Builder presencePenalty(double value) {
            presencePenalty = value;
            return this;
        }

        /// See [SamplingParams#frequencyPenalty()].
        public Builder frequencyPenalty(double value) {
            frequencyPenalty = value;
            return this;
        }

        /// See [SamplingParams#logitBias()].
        public Builder logitBias(Map<Integer, Float> value) {
            logitBias = value;
            return this;
        }

        /// See [SamplingParams#seed()].
        public Builder seed(@Nullable Long value) {
            seed = value;
            return this;
        }

        /// See [SamplingParams#maxTokens()].
        public Builder maxTokens(int value) {
            maxTokens = value;
            return this;
        }

        /// See [SamplingParams#stop()].
        public Builder stop(List<String> value) {
            stop = value;
            return this;
        }

        /// See [SamplingParams#topLogprobs()].
        public Builder topLogprobs(@Nullable Integer value) {
            topLogprobs = value;
            return this;
        }

        /// Makes the parameters.
        ///
        /// @throws InvalidRequestException naming the parameter that is out of range
        public SamplingParams build() {
            return new SamplingParams(
                    temperature,
                    topP,
                    topK,
                    minP,
                    typicalP,
                    repetitionPenalty,
                    presencePenalty,
                    frequencyPenalty,
                    logitBias,
                    seed,
                    maxTokens,
                    stop,
                    topLogprobs);
        }
    }
}
