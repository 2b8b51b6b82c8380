package dev.mixtral.sampling;

import dev.mixtral.error.InvalidRequestException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Chooses the next token of one sequence. Confined to one thread.
///
/// The choice is a function of the logits, the parameters, the tokens so far and the seed; the n-th token uses the
/// n-th draw of [CounterRandom].
public final class Sampler {
    private final SamplingParams params;
    private final long seed;
    private final BitSet banned;
    private final float[] adjusted;

    /// @param params the request's parameters
    /// @param seed used where `params` has none
    /// @param vocabSize number of logits
    /// @param banned ids that are never chosen; not retained
    /// @throws InvalidRequestException if a logit bias names an id outside the vocabulary
    public Sampler(SamplingParams params, long seed, int vocabSize, BitSet banned) {
        this.params = params;
        this.seed = params.seed() == null ? seed : params.seed();
        this.banned = (BitSet) banned.clone();
        this.adjusted = new float[vocabSize];
        for (int id : params.logitBias().keySet()) {
            if (id < 0 || id >= vocabSize) {
                throw new InvalidRequestException(
                        "logitBias", "logitBias names token " + id + ", but the vocabulary ends at " + (vocabSize - 1));
            }
        }
    }

    /// Returns the next token.
    ///
    /// @param logits the model's logits, `[offset, offset + vocabSize)`; not modified
    /// @param history the tokens so far
    public int sample(float[] logits, int offset, TokenHistory history) {
        return sample(logits, offset, history, null);
    }

    /// Returns the next token, out of a set.
    ///
    /// The mask comes before everything else, so that temperature, penalties and cuts work on what is allowed only.
    ///
    /// @param logits the model's logits, `[offset, offset + vocabSize)`; not modified
    /// @param history the tokens so far
    /// @param mask what a grammar allows, at least one id; null allows all
    public int sample(float[] logits, int offset, TokenHistory history, @Nullable TokenMask mask) {
        System.arraycopy(logits, offset, adjusted, 0, adjusted.length);
        if (mask != null) {
            mask.apply(adjusted);
        }
        banned.stream().forEach(id -> adjusted[id] = Float.NEGATIVE_INFINITY);
        params.logitBias().forEach((id, bias) -> adjusted[id] += bias);
        penalize(history);
        if (params.temperature() == 0) {
            return best(logits, offset, mask);
        }
        Candidates candidates = new Candidates(adjusted, params.temperature());
        if (candidates.size() == 0) {
            // Every logit is NaN or banned: the model is broken, but the answer must still be defined.
            return best(logits, offset, mask);
        }
        truncate(candidates);
        return candidates.draw(CounterRandom.uniform(seed, history.numGenerated()));
    }

    private void penalize(TokenHistory history) {
        float repetition = (float) params.repetitionPenalty();
        if (repetition != 1) {
            history.seen().stream().filter(id -> id < adjusted.length).forEach(id -> {
                adjusted[id] = adjusted[id] < 0 ? adjusted[id] * repetition : adjusted[id] / repetition;
            });
        }
        if (params.frequencyPenalty() != 0 || params.presencePenalty() != 0) {
            for (Map.Entry<Integer, Integer> entry : history.generated().entrySet()) {
                double penalty = entry.getValue() * params.frequencyPenalty() + params.presencePenalty();
                adjusted[entry.getKey()] -= (float) penalty;
            }
        }
    }

    private void truncate(Candidates candidates) {
        if (params.topK() > 0) {
            candidates.keepTop(params.topK());
        }
        if (params.topP() < 1) {
            candidates.keepMass(params.topP());
        }
        if (params.minP() > 0) {
            candidates.keepShareOfBest(params.minP());
        }
        if (params.typicalP() < 1) {
            candidates.keepTypical(params.typicalP());
        }
    }

    /// Returns the id with the highest adjusted logit. Where none is left above minus infinity, the mask and the raw
    /// logits decide: an answer outside the grammar would be worse than one that ignores penalties.
    private int best(float[] logits, int offset, @Nullable TokenMask mask) {
        int best = argmax(adjusted);
        if (mask == null || (adjusted[best] > Float.NEGATIVE_INFINITY && mask.allows(best))) {
            return best;
        }
        int[] choice = {-1};
        mask.forEach(id -> {
            if (choice[0] < 0 || logits[offset + id] > logits[offset + choice[0]]) {
                choice[0] = id;
            }
        });
        if (choice[0] < 0) {
            throw new IllegalArgumentException("the mask allows no token");
        }
        return choice[0];
    }

    private static int argmax(float[] logits) {
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
            if (logits[id] > logits[best] || Float.isNaN(logits[best])) {
                best = id;
            }
        }
        return best;
    }

    /// Returns the log-probability of a token and of the most probable ones, under the model's own distribution.
    ///
    /// @param logits the model's logits, `[offset, offset + vocabSize)`; not modified
    /// @param top how many of the most probable tokens to report
    public TokenLogprob logprob(float[] logits, int offset, int id, int top) {
        System.arraycopy(logits, offset, adjusted, 0, adjusted.length);
        double logSum = logSumExp(adjusted);
        List<TokenLogprob.Candidate> best = new ArrayList<>();
        if (top > 0) {
            Candidates candidates = new Candidates(adjusted, 1);
            for (int i = 0; i < Math.min(top, candidates.size()); i++) {
                int candidate = candidates.id(i);
                best.add(new TokenLogprob.Candidate(candidate, adjusted[candidate] - logSum));
            }
        }
        return new TokenLogprob(id, adjusted[id] - logSum, best);
    }

    /// Returns the natural logarithm of the sum of exponentials.
    public static double logSumExp(float[] logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        return max + Math.log(sum);
    }
}
