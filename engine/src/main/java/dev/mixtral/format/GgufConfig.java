package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.gguf.GgufMetadata;
import dev.mixtral.tensor.Tensor;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Reads the metadata of a GGUF file of architecture `llama`, which is what Mixtral has there.
final class GgufConfig {
    private static final Logger LOGGER = System.getLogger(GgufConfig.class.getName());

    /// What llama.cpp assumes where the key is absent: right for Llama 2, wrong for Mixtral.
    private static final double DEFAULT_ROPE_THETA = 10_000;

    private static final int MIXTRAL_EXPERTS = 8;

    /// Keys that change results, with the only value that changes nothing.
    private static final Map<String, Double> NEUTRAL = Map.ofEntries(
            Map.entry("llama.rope.scale_linear", 1.0),
            Map.entry("llama.rope.scaling.factor", 1.0),
            Map.entry("llama.rope.scaling.attn_factor", 1.0),
            Map.entry("llama.logit_scale", 1.0),
            Map.entry("llama.embedding_scale", 1.0),
            Map.entry("llama.residual_scale", 1.0),
            Map.entry("llama.expert_weights_scale", 1.0),
            Map.entry("llama.expert_shared_count", 0.0),
            Map.entry("llama.attention.clamp_kqv", 0.0),
            Map.entry("llama.attention.max_alibi_bias", 0.0),
            Map.entry("llama.attn_logit_softcapping", 0.0),
            Map.entry("llama.final_logit_softcapping", 0.0));

    private static final List<String> NEUTRAL_SCALING = List.of("none", "");

    private final GgufMetadata metadata;

    private GgufConfig(GgufMetadata metadata) {
        this.metadata = metadata;
    }

    /// @param tensors all of the model: the vocabulary size and a tied output show there only
    /// @throws ModelFormatException if keys are missing, of a wrong type or impossible
    /// @throws UnsupportedModelException if the model is of another architecture, or wants what is not implemented
    static Architecture read(GgufMetadata metadata, List<Tensor> tensors) {
        GgufConfig reader = new GgufConfig(metadata);
        reader.refuseVariants();
        MixtralConfig config = ConfigCheck.check(metadata.file(), reader.config(tensors));
        reader.warnOfMissingTheta(config);
        boolean tied = tensors.stream().noneMatch(tensor -> tensor.name().equals("output.weight"));
        return new Architecture(config, tied);
    }

    private void refuseVariants() {
        String architecture = metadata.string("general.architecture").orElse("(absent)");
        if (!architecture.equals("llama")) {
            throw unsupported(
                    "`general.architecture` " + architecture + "; llama, which is Mixtral's too, is supported");
        }
        metadata.string("llama.rope.scaling.type")
                .filter(type -> !NEUTRAL_SCALING.contains(type))
                .ifPresent(type -> {
                    throw unsupported("`llama.rope.scaling.type` " + type + "; plain rotary embedding is supported");
                });
        NEUTRAL.forEach((key, neutral) -> {
            double value = metadata.number(key).orElse(neutral);
            if (value != neutral) {
                throw unsupported("`" + key + "` " + value + "; only " + neutral + " is supported");
            }
        });
        if (!metadata.bool("llama.attention.causal").orElse(true)) {
            throw unsupported("`llama.attention.causal` false; causal attention is supported");
        }
    }

    private MixtralConfig config(List<Tensor> tensors) {
        int dim = required("llama.embedding_length");
        int numHeads = uniform("llama.attention.head_count", -1);
        // llama.cpp writes 0 for a dense model, or nothing.
        int numExperts = Math.max(1, metadata.integer("llama.expert_count").orElse(0));
        int contextLength = required("llama.context_length");
        int window = metadata.integer("llama.attention.sliding_window").orElse(0);
        return new MixtralConfig(
                dim,
                uniform("llama.feed_forward_length", -1),
                required("llama.block_count"),
                numHeads,
                uniform("llama.attention.head_count_kv", numHeads),
                headDim(dim, numHeads),
                numExperts,
                numExperts == 1 ? 1 : required("llama.expert_used_count"),
                metadata.integer("llama.vocab_size").orElseGet(() -> embeddingRows(tensors)),
                (float) metadata.number("llama.attention.layer_norm_rms_epsilon")
                        .orElseThrow(() -> missing("llama.attention.layer_norm_rms_epsilon")),
                metadata.number("llama.rope.freq_base").orElse(DEFAULT_ROPE_THETA),
                SlidingWindow.contextLength(metadata.file(), window, contextLength, numExperts == 1));
    }

    private int headDim(int dim, int numHeads) {
        if (numHeads <= 0) {
            throw new ModelFormatException(
                    metadata.file(), "`llama.attention.head_count` must be positive, got " + numHeads, null);
        }
        int headDim = metadata.integer("llama.attention.key_length").orElse(dim / numHeads);
        for (String key : List.of("llama.attention.value_length", "llama.rope.dimension_count")) {
            int other = metadata.integer(key).orElse(headDim);
            if (other != headDim) {
                throw unsupported("`" + key + "` " + other + " while heads have " + headDim
                        + " elements; keys, values and rotation of one width are supported");
            }
        }
        return headDim;
    }

    private void warnOfMissingTheta(MixtralConfig config) {
        if (config.numExperts() == MIXTRAL_EXPERTS
                && metadata.number("llama.rope.freq_base").isEmpty()) {
            LOGGER.log(
                    Level.WARNING,
                    "{0}: `llama.rope.freq_base` is absent, so 10000 is used as in llama.cpp; Mixtral was trained with"
                            + " 1000000: convert the model again if its answers are poor",
                    metadata.file());
        }
    }

    private int embeddingRows(List<Tensor> tensors) {
        long rows = tensors.stream()
                .filter(tensor -> tensor.name().equals("token_embd.weight"))
                .mapToLong(tensor -> tensor.shape()[0])
                .findFirst()
                .orElseThrow(
                        () -> new ModelFormatException(metadata.file(), "tensor token_embd.weight is missing", null));
        if (rows > Integer.MAX_VALUE) {
            throw new ModelFormatException(metadata.file(), "token_embd.weight has " + rows + " rows", null);
        }
        return (int) rows;
    }

    private int required(String key) {
        return metadata.integer(key).orElseThrow(() -> missing(key));
    }

    /// Returns a number that may be given once per layer if it is the same in all.
    ///
    /// @param absent the value if the key is absent, or -1 if it must be there
    private int uniform(String key, int absent) {
        if (!metadata.isArray(key)) {
            return absent < 0 ? required(key) : metadata.integer(key).orElse(absent);
        }
        int[] perLayer = metadata.integers(key).orElseThrow();
        int[] distinct = Arrays.stream(perLayer).distinct().toArray();
        if (distinct.length != 1) {
            throw unsupported("`" + key + "` differs between layers: " + Arrays.toString(distinct));
        }
        return distinct[0];
    }

    private ModelFormatException missing(String key) {
        return new ModelFormatException(metadata.file(), "`" + key + "` is missing", null);
    }

    private UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(metadata.file() + ": " + what + ".");
    }
}
