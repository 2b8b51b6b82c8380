package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Rejects architectures that cannot be, before anything is sized by their numbers.
final class ConfigCheck {
    private ConfigCheck() {}

    /// Returns `config` if it makes sense.
    ///
    /// @param file where it comes from
    /// @throws ModelFormatException naming everything that is wrong
    static MixtralConfig check(String file, MixtralConfig config) {
        List<String> problems = new ArrayList<>();
        positive(problems, "dim", config.dim());
        positive(problems, "ffnDim", config.ffnDim());
        positive(problems, "numLayers", config.numLayers());
        positive(problems, "numHeads", config.numHeads());
        positive(problems, "numKvHeads", config.numKvHeads());
        positive(problems, "headDim", config.headDim());
        positive(problems, "numExperts", config.numExperts());
        positive(problems, "numExpertsPerToken", config.numExpertsPerToken());
        positive(problems, "vocabSize", config.vocabSize());
        positive(problems, "contextLength", config.contextLength());
        positive(problems, "normEps", config.normEps());
        positive(problems, "ropeTheta", config.ropeTheta());
        if (problems.isEmpty()) {
            relations(problems, config);
        }
        if (!problems.isEmpty()) {
            throw new ModelFormatException(file, "impossible configuration: " + String.join("; ", problems), null);
        }
        return config;
    }

    private static void positive(List<String> problems, String name, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            problems.add(name + " must be positive, got " + value);
        }
    }

    private static void positive(List<String> problems, String name, int value) {
        if (value <= 0) {
            problems.add(name + " must be positive, got " + value);
        }
    }

    private static void relations(List<String> problems, MixtralConfig config) {
        if (config.numHeads() % config.numKvHeads() != 0) {
            problems.add("numKvHeads " + config.numKvHeads() + " must divide numHeads " + config.numHeads());
        }
        if (config.headDim() % 2 != 0) {
            problems.add("headDim must be even, got " + config.headDim());
        }
        if (config.numExpertsPerToken() > config.numExperts()) {
            problems.add("numExpertsPerToken " + config.numExpertsPerToken() + " must not exceed numExperts "
                    + config.numExperts());
        }
        fitsInt(problems, "numHeads * headDim", (long) config.numHeads() * config.headDim());
        fitsInt(problems, "numExperts * ffnDim * 2", 2L * config.numExperts() * config.ffnDim());
        countable(problems, config);
    }

    private static void fitsInt(List<String> problems, String name, long value) {
        if (value > Integer.MAX_VALUE) {
            problems.add(name + " is " + value + ", at most " + Integer.MAX_VALUE + " expected");
        }
    }

    /// No file system holds 2^60 weights, and below that no sum of sizes overflows a `long`.
    private static void countable(List<String> problems, MixtralConfig config) {
        double dim = config.dim();
        double perLayer =
                4 * dim * config.numHeads() * config.headDim() + 3 * dim * config.numExperts() * config.ffnDim();
        double total = perLayer * config.numLayers() + 2 * dim * config.vocabSize();
        if (total > 0x1p60) {
            problems.add(String.format(Locale.ROOT, "it would have %.3g weights", total));
        }
    }
}
