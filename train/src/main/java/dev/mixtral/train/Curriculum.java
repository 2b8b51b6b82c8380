package dev.mixtral.train;

import java.util.List;

/// How long the sequences are during a run: mostly short, at the end as long as the context.
///
/// Short sequences are cheap and most conversations are short; the last phases are there so that every position the
/// model claims has been trained. The tokens of a step stay the same.
///
/// @param phases in order
record Curriculum(List<Phase> phases) {
    Curriculum {
        phases = List.copyOf(phases);
        double total = phases.stream().mapToDouble(Phase::share).sum();
        if (Math.abs(total - 1) > 1e-9) {
            throw new IllegalArgumentException("shares of a curriculum add up to " + total + ", expected 1");
        }
    }

    /// Returns the curriculum of `mixtral-tiny`: lengths 512, 1,024, 2,048, 4,096, cut at the model's context.
    ///
    /// @param tokensPerStep tokens of a batch, a multiple of twice the context length
    static Curriculum upTo(int contextLength, int tokensPerStep) {
        return new Curriculum(List.of(
                phase(0.88, 512, contextLength, tokensPerStep),
                phase(0.05, 1024, contextLength, tokensPerStep),
                phase(0.04, 2048, contextLength, tokensPerStep),
                phase(0.03, 4096, contextLength, tokensPerStep)));
    }

    private static Phase phase(double share, int length, int contextLength, int tokensPerStep) {
        int cut = Math.min(length, contextLength);
        return new Phase(share, tokensPerStep / cut, cut);
    }

    /// Returns the phase that a step belongs to.
    ///
    /// @param step from 0
    Phase at(int step, int totalSteps) {
        double end = 0;
        for (Phase phase : phases) {
            end += phase.share();
            if (step < Math.round(end * totalSteps)) {
                return phase;
            }
        }
        return phases.getLast();
    }

    /// Part of a run with batches of one shape.
    ///
    /// @param share of the run's steps
    /// @param rows sequences per step
    /// @param length positions of a sequence
    record Phase(double share, int rows, int length) {}
}
