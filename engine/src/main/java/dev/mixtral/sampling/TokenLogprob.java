package dev.mixtral.sampling;

import java.util.List;

/// The log-probability of a generated token and of its best rivals, under the model's own distribution: before bias,
/// penalties, temperature and truncation.
///
/// @param id the token
/// @param logprob natural logarithm of its probability
/// @param top the most probable tokens, best first; may not contain `id`
public record TokenLogprob(int id, double logprob, List<Candidate> top) {
    /// A token and its log-probability.
    public record Candidate(int id, double logprob) {}
}
