package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.io.JsonObject;
import java.util.List;
import java.util.Optional;

/// Reads Mistral's `params.json`, with the defaults of mistral-inference.
final class MistralParams {
    private static final int DEFAULT_CONTEXT = 32_768;

    /// Keys of later architectures of the same file format.
    private static final List<String> FOREIGN_KEYS = List.of(
            "quantization", "vision_encoder", "yarn", "llama_4_scaling", "multimodal", "lora", "mla", "block_types");

    private MistralParams() {}

    /// @throws ModelFormatException if keys are missing, of a wrong type or impossible
    /// @throws UnsupportedModelException if the model is of another architecture, or quantised
    static Architecture read(JsonObject json) {
        for (String key : FOREIGN_KEYS) {
            if (json.has(key)) {
                throw new UnsupportedModelException(
                        json.file() + ": `" + key + "` is not supported; Mixtral and dense" + " Mistral models are.");
            }
        }
        return new Architecture(
                ConfigCheck.check(json.file(), config(json)),
                json.bool("tied_embeddings").orElse(false));
    }

    private static MixtralConfig config(JsonObject json) {
        int dim = json.requiredInteger("dim");
        int numHeads = json.requiredInteger("n_heads");
        Optional<JsonObject> moe = json.object("moe");
        int numExperts =
                moe.map(experts -> experts.requiredInteger("num_experts")).orElse(1);
        int window = json.integer("sliding_window")
                .orElse(json.integer("_sliding_window").orElse(0));
        int contextLength = json.integer("max_position_embeddings")
                .orElse(json.integer("max_seq_len").orElse(DEFAULT_CONTEXT));
        return new MixtralConfig(
                dim,
                json.requiredInteger("hidden_dim"),
                json.requiredInteger("n_layers"),
                numHeads,
                json.integer("n_kv_heads").orElse(numHeads),
                headDim(json, dim, numHeads),
                numExperts,
                moe.map(experts -> experts.requiredInteger("num_experts_per_tok"))
                        .orElse(1),
                json.requiredInteger("vocab_size"),
                (float) json.number("norm_eps").orElse(1e-5),
                // The first models have a window and no theta, and were trained with 10,000.
                json.number("rope_theta").orElse(window > 0 ? 1e4 : 1e6),
                SlidingWindow.contextLength(json.file(), window, contextLength, numExperts == 1));
    }

    private static int headDim(JsonObject json, int dim, int numHeads) {
        return json.integer("head_dim").orElseGet(() -> {
            if (numHeads <= 0 || dim % numHeads != 0) {
                throw new ModelFormatException(
                        json.file(),
                        "`head_dim` is absent, and `n_heads` " + numHeads + " does not divide `dim` " + dim,
                        null);
            }
            return dim / numHeads;
        });
    }
}
