package dev.mixtral.lora;

import java.util.List;

/// How an adapter was trained, as far as its use depends on it. Immutable.
///
/// @param rank rows of `A` in most modules, at least 1
/// @param alpha weight of the adapter, which [#scaling()] relates to the rank
/// @param dropout share of inputs that were dropped in training; of no effect afterwards
/// @param rsLora whether the weight is divided by the root of the rank (rsLoRA, arXiv 2312.03732)
/// @param dora whether modules have magnitudes (DoRA, arXiv 2402.09353)
/// @param targetModules the last words of the names of the modules that it changes, or their whole names
/// @param baseModel name or path of the model that it was trained on; empty if unknown
public record LoraConfig(
        int rank,
        float alpha,
        float dropout,
        boolean rsLora,
        boolean dora,
        List<String> targetModules,
        String baseModel) {
    public LoraConfig {
        if (rank < 1 || !Float.isFinite(alpha) || !(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException("a rank of at least 1, a finite alpha and a dropout of 0 to below 1"
                    + " expected, got " + rank + ", " + alpha + " and " + dropout);
        }
        targetModules = List.copyOf(targetModules);
    }

    /// Returns what `B · A` of every module is multiplied by.
    public float scaling() {
        return scaling(alpha, rank, rsLora);
    }

    static float scaling(float alpha, int rank, boolean rsLora) {
        return rsLora ? (float) (alpha / Math.sqrt(rank)) : alpha / rank;
    }
}
