package dev.mixtral.quantize;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tensor.DType;

/// Which type each matrix of a model gets under a preset.
///
/// Source: `llama_tensor_get_type` of ggml-org/llama.cpp for architecture `llama`. The layer counts of a small model
/// are divided as there, rounding down.
///
/// @param tied whether the output matrix is the embedding
/// @param hasImportance whether an importance matrix is at hand
record TypeRules(Preset preset, MixtralConfig config, boolean tied, boolean hasImportance) {
    private static final int MIXTRAL_EXPERTS = 8;
    private static final int WIDE_GROUP = 4;
    private static final int LAYERS_OF_70B = 80;

    /// What a matrix is for, as far as the rules care.
    enum Role {
        NORM,
        ROUTER,
        EMBEDDING,
        OUTPUT,
        QUERY,
        KEY,
        VALUE,
        ATTENTION_OUTPUT,
        GATE_OR_UP,
        DOWN
    }

    /// A type, and the one it stands in for where that does not divide the columns.
    record Choice(DType type, DType wanted) {
        boolean isFallback() {
            return type != wanted;
        }
    }

    Choice choose(Role role, int layer, int cols) {
        DType wanted = wanted(role, layer, cols);
        return new Choice(fitting(wanted, cols), wanted);
    }

    /// Returns the type, or one of at least as many bits whose blocks divide the columns.
    static DType fitting(DType type, int cols) {
        if (cols % type.blockSize() == 0) {
            return type;
        }
        DType smaller = switch (type) {
            case Q2_K, Q3_K, IQ4_XS, NL3 -> DType.IQ4_NL;
            case Q4_K -> DType.Q5_0;
            case Q5_K -> DType.Q5_1;
            case Q6_K -> DType.Q8_0;
            default -> DType.F16;
        };
        return cols % smaller.blockSize() == 0 ? smaller : DType.F16;
    }

    private DType wanted(Role role, int layer, int cols) {
        if (role == Role.NORM || role == Role.ROUTER) {
            return DType.F32;
        }
        if (preset.base().isPlain()) {
            return preset.base();
        }
        if (preset == Preset.NL3) {
            return nl3(role, cols);
        }
        return switch (role) {
            case OUTPUT -> output(cols);
            case EMBEDDING -> tied ? output(cols) : preset.base();
            case VALUE -> value(layer);
            case KEY -> isMixtral() ? DType.Q8_0 : preset.base();
            case ATTENTION_OUTPUT -> attentionOutput();
            case DOWN -> down(layer);
            case QUERY, GATE_OR_UP -> preset.base();
            case NORM, ROUTER -> throw new AssertionError(role);
        };
    }

    /// Three bits where nearly all weights are, in the experts of Mixtral or the feed-forward layers of a dense model.
    private DType nl3(Role role, int cols) {
        return switch (role) {
            case OUTPUT -> output(cols);
            case EMBEDDING -> tied ? output(cols) : DType.Q4_K;
            case KEY, VALUE -> isMixtral() ? DType.Q8_0 : DType.Q5_K;
            case QUERY, ATTENTION_OUTPUT -> DType.Q5_K;
            case GATE_OR_UP, DOWN -> DType.NL3;
            case NORM, ROUTER -> throw new AssertionError(role);
        };
    }

    private boolean isMixtral() {
        return config.numExperts() == MIXTRAL_EXPERTS;
    }

    private DType output(int cols) {
        return cols % preset.base().blockSize() != 0 || preset == Preset.Q8_0 ? DType.Q8_0 : DType.Q6_K;
    }

    private DType value(int layer) {
        if (isMixtral()) {
            return DType.Q8_0; // all value matrices of 8x7B together grow by 64 MB only
        }
        boolean wideGroup = config.numHeads() / config.numKvHeads() >= WIDE_GROUP;
        DType type = switch (preset) {
            case Q2_K -> wideGroup ? DType.Q4_K : DType.Q3_K;
            case Q3_K_M -> layer < 2 ? DType.Q5_K : DType.Q4_K;
            case Q3_K_L -> DType.Q5_K;
            case IQ4_NL, IQ4_XS -> wideGroup ? DType.Q5_K : preset.base();
            case Q4_K_M, Q5_K_M -> wantsMoreBits(layer) ? DType.Q6_K : preset.base();
            case Q4_K_S -> layer < 4 ? DType.Q5_K : DType.Q4_K;
            default -> preset.base();
        };
        boolean is70b = config.numLayers() == LAYERS_OF_70B && config.numHeads() != config.numKvHeads();
        return is70b && (type == DType.Q3_K || type == DType.Q4_K) ? DType.Q5_K : type;
    }

    private DType attentionOutput() {
        if (isMixtral()) {
            return switch (preset) {
                case Q2_K, Q3_K_S, Q3_K_M, Q4_K_S, Q4_K_M, IQ4_NL, IQ4_XS -> DType.Q5_K;
                default -> preset.base();
            };
        }
        return switch (preset) {
            case Q2_K -> DType.Q3_K;
            case Q3_K_M -> DType.Q4_K;
            case Q3_K_L -> DType.Q5_K;
            default -> preset.base();
        };
    }

    private DType down(int layer) {
        boolean early = layer < config.numLayers() / 8;
        return switch (preset) {
            case Q2_K -> DType.Q3_K;
            case Q3_K_M -> layer < config.numLayers() / 16 ? DType.Q5_K : DType.Q4_K;
            case Q3_K_L -> DType.Q5_K;
            case Q4_K_M, Q5_K_M -> wantsMoreBits(layer) ? DType.Q6_K : preset.base();
            case IQ4_NL, IQ4_XS -> early && !hasImportance ? DType.Q5_K : preset.base();
            case Q4_K_S -> early ? DType.Q5_K : DType.Q4_K;
            // With an importance, the search for a symmetric scale can go astray on the first layers.
            case Q4_0 -> early && hasImportance ? DType.Q4_1 : DType.Q4_0;
            case Q5_0 -> early && hasImportance ? DType.Q5_1 : DType.Q5_0;
            default -> preset.base();
        };
    }

    /// The first and last eighth of the layers, and every third in between.
    private boolean wantsMoreBits(int layer) {
        int n = config.numLayers();
        return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
    }
}
