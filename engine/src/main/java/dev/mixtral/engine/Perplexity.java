package dev.mixtral.engine;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.sampling.Sampler;

/// How well a model predicts a text: `exp` of the mean negative log-likelihood of its tokens.
///
/// @param numTokens tokens that were predicted
/// @param negativeLogLikelihood sum over those tokens, in nats
/// @param seconds time taken
public record Perplexity(int numTokens, double negativeLogLikelihood, double seconds) {
    /// Returns the perplexity.
    public double value() {
        return Math.exp(negativeLogLikelihood / numTokens);
    }

    /// Measures a text in windows that do not overlap, each with BOS in front, so every token but BOS is predicted
    /// from those before it in its window.
    ///
    /// @param ids the text's tokens, without BOS
    /// @param window tokens of a window, BOS included; at least 2
    /// @throws InvalidRequestException if the text is empty or the window does not fit the context
    public static Perplexity measure(Engine engine, int[] ids, int window) {
        if (window < 2 || window > engine.contextLength()) {
            throw new InvalidRequestException(
                    "window", "window must be between 2 and " + engine.contextLength() + ", got " + window);
        }
        if (ids.length == 0) {
            throw new InvalidRequestException("text", "the text is empty, so there is nothing to predict");
        }
        long start = System.nanoTime();
        double sum = 0;
        for (int from = 0; from < ids.length; from += window - 1) {
            int to = Math.min(ids.length, from + window - 1);
            int[] input = new int[to - from];
            input[0] = engine.tokenizer().bosId();
            System.arraycopy(ids, from, input, 1, input.length - 1);
            float[][] logits = engine.logits(input, true);
            for (int i = 0; i < input.length; i++) {
                sum += Sampler.logSumExp(logits[i]) - logits[i][ids[from + i]];
            }
        }
        return new Perplexity(ids.length, sum, (System.nanoTime() - start) / 1e9);
    }
}
