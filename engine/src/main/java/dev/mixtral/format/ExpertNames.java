package dev.mixtral.format;

import java.util.List;

/// One way in which files name and arrange the three matrices of the experts of a layer. Names are relative to the
/// layer's prefix.
sealed interface ExpertNames {
    /// One tensor per expert and matrix; `{e}` stands for the expert.
    record PerExpert(String w1, String w2, String w3) implements ExpertNames {}

    /// One tensor per matrix, all experts stacked: `[numExperts, ffnDim, dim]` and `[numExperts, dim, ffnDim]`.
    record Stacked(String w1, String w2, String w3) implements ExpertNames {}

    /// As [Stacked], with `w3` below `w1` of the same expert: `[numExperts, 2 * ffnDim, dim]`.
    record Fused(String w1AndW3, String w2) implements ExpertNames {}

    /// The one feed-forward network of a dense model.
    record Dense(String w1, String w2, String w3) implements ExpertNames {}

    /// Takes all experts of a layer the first way that applies.
    ///
    /// @param ways in order of preference; if none applies, the first one that could is reported as missing
    /// @param from prefix of the layer in the file
    /// @param to canonical prefix of the layer's experts, `layers.L.feed_forward.experts.`
    static void takeAll(List<ExpertNames> ways, WeightResolver weights, MixtralConfig config, String from, String to) {
        List<ExpertNames> possible = ways.stream()
                .filter(way -> config.isDense() || !(way instanceof Dense))
                .toList();
        ExpertNames way = possible.stream()
                .filter(candidate -> weights.has(from + candidate.firstName()))
                .findFirst()
                .orElse(config.isDense() ? possible.getLast() : possible.getFirst());
        way.take(weights, config, from, to);
    }

    private String firstName() {
        return switch (this) {
            case PerExpert names -> forExpert(names.w1, 0);
            case Stacked names -> names.w1;
            case Fused names -> names.w1AndW3;
            case Dense names -> names.w1;
        };
    }

    private void take(WeightResolver weights, MixtralConfig config, String from, String to) {
        for (int e = 0; e < config.numExperts(); e++) {
            String expert = to + e;
            switch (this) {
                case PerExpert(String w1, String w2, String w3) ->
                    takeWhole(
                            weights,
                            config,
                            expert,
                            from + forExpert(w1, e),
                            from + forExpert(w2, e),
                            from + forExpert(w3, e));
                case Dense(String w1, String w2, String w3) ->
                    takeWhole(weights, config, expert, from + w1, from + w2, from + w3);
                case Stacked(String w1, String w2, String w3) -> {
                    takeSlice(weights, config, expert + ".w1", from + w1, e);
                    takeSlice(weights, config, expert + ".w3", from + w3, e);
                    takeDown(weights, config, expert, from + w2, e);
                }
                case Fused(String w1AndW3, String w2) -> {
                    takeHalf(weights, config, expert + ".w1", from + w1AndW3, 2L * e);
                    takeHalf(weights, config, expert + ".w3", from + w1AndW3, 2L * e + 1);
                    takeDown(weights, config, expert, from + w2, e);
                }
            }
        }
    }

    private static void takeWhole(
            WeightResolver weights, MixtralConfig config, String expert, String w1, String w2, String w3) {
        weights.take(expert + ".w1", w1, config.ffnDim(), config.dim());
        weights.take(expert + ".w3", w3, config.ffnDim(), config.dim());
        weights.take(expert + ".w2", w2, config.dim(), config.ffnDim());
    }

    private static void takeSlice(WeightResolver weights, MixtralConfig config, String name, String fileName, long e) {
        long[] shape = {config.numExperts(), config.ffnDim(), config.dim()};
        weights.takeRows(name, fileName, shape, e * config.ffnDim(), config.ffnDim());
    }

    private static void takeHalf(
            WeightResolver weights, MixtralConfig config, String name, String fileName, long half) {
        long[] shape = {config.numExperts(), 2L * config.ffnDim(), config.dim()};
        weights.takeRows(name, fileName, shape, half * config.ffnDim(), config.ffnDim());
    }

    private static void takeDown(WeightResolver weights, MixtralConfig config, String expert, String fileName, long e) {
        long[] shape = {config.numExperts(), config.dim(), config.ffnDim()};
        weights.takeRows(expert + ".w2", fileName, shape, e * config.dim(), config.dim());
    }

    private static String forExpert(String name, int e) {
        return name.replace("{e}", Integer.toString(e));
    }
}
