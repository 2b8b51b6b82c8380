package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.io.JsonObject;
import java.util.List;
import java.util.Optional;

/// Reads Hugging Face's `config.json` of the model types `mixtral`, `mistral` and `llama`.
///
/// Absent keys have the values of `MixtralConfig` in transformers, except that the context of 8x7B is 32,768. What
/// would change results and is not implemented is refused.
final class HfConfig {
    private static final int DEFAULT_CONTEXT = 32_768;

    private final JsonObject json;
    private final boolean mixture;
    private final boolean llama;

    private HfConfig(JsonObject json) {
        this.json = json;
        String modelType = modelType(json);
        this.mixture = modelType.equals("mixtral");
        this.llama = modelType.equals("llama");
    }

    /// @throws ModelFormatException if keys are missing, of a wrong type or impossible
    /// @throws UnsupportedModelException if the model is of another architecture, or quantised
    static Architecture read(JsonObject json) {
        HfConfig reader = new HfConfig(json);
        reader.refuseVariants();
        return new Architecture(
                ConfigCheck.check(json.file(), reader.config()),
                json.bool("tie_word_embeddings").orElse(false));
    }

    private static String modelType(JsonObject json) {
        String modelType = json.string("model_type").orElseGet(() -> impliedModelType(json));
        if (!List.of("mixtral", "mistral", "llama").contains(modelType)) {
            throw unsupported(json, "`model_type` " + modelType + "; mixtral, mistral and llama are supported");
        }
        return modelType;
    }

    private static String impliedModelType(JsonObject json) {
        List<String> architectures = json.strings("architectures");
        if (architectures.contains("MixtralForCausalLM") || json.has("num_local_experts")) {
            return "mixtral";
        }
        if (architectures.contains("MistralForCausalLM")) {
            return "mistral";
        }
        return architectures.contains("LlamaForCausalLM") ? "llama" : "(absent)";
    }

    private MixtralConfig config() {
        int dim = dimension("hidden_size", 4096);
        int numHeads = dimension("num_attention_heads", 32);
        int numExperts = mixture ? json.integer("num_local_experts").orElse(8) : 1;
        int contextLength = json.integer("max_position_embeddings").orElse(llama ? 2048 : DEFAULT_CONTEXT);
        return new MixtralConfig(
                dim,
                dimension("intermediate_size", 14_336),
                dimension("num_hidden_layers", 32),
                numHeads,
                json.integer("num_key_value_heads").orElse(llama ? numHeads : 8),
                headDim(dim, numHeads),
                numExperts,
                mixture ? json.integer("num_experts_per_tok").orElse(2) : 1,
                dimension("vocab_size", 32_000),
                (float) json.number("rms_norm_eps").orElse(mixture ? 1e-5 : 1e-6),
                ropeTheta(),
                SlidingWindow.contextLength(json.file(), slidingWindow(), contextLength, numExperts == 1));
    }

    /// The sizes of a dense model vary too much for a default to be right.
    private int dimension(String key, int mixtralDefault) {
        return mixture ? json.integer(key).orElse(mixtralDefault) : json.requiredInteger(key);
    }

    private int headDim(int dim, int numHeads) {
        return json.integer("head_dim").orElseGet(() -> {
            if (numHeads <= 0 || dim % numHeads != 0) {
                throw new ModelFormatException(
                        json.file(),
                        "`head_dim` is absent, and `num_attention_heads` " + numHeads
                                + " does not divide `hidden_size` " + dim,
                        null);
            }
            return dim / numHeads;
        });
    }

    private double ropeTheta() {
        Optional<JsonObject> parameters = json.object("rope_parameters");
        if (parameters.isPresent() && parameters.get().has("rope_theta")) {
            return parameters.get().number("rope_theta").orElseThrow();
        }
        return json.number("rope_theta").orElse(mixture ? 1e6 : 1e4);
    }

    private int slidingWindow() {
        return json.bool("use_sliding_window").orElse(true)
                ? json.integer("sliding_window").orElse(0)
                : 0;
    }

    private void refuseVariants() {
        for (String key : List.of("quantization_config", "compression_config")) {
            json.object(key).ifPresent(this::refuseQuantised);
        }
        json.object("rope_scaling").ifPresent(scaling -> refuseScaledRope("rope_scaling", scaling));
        json.object("rope_parameters").ifPresent(scaling -> refuseScaledRope("rope_parameters", scaling));
        String activation = json.string("hidden_act").orElse("silu");
        if (!activation.equals("silu") && !activation.equals("swish")) {
            throw unsupported(json, "`hidden_act` " + activation + "; silu is supported");
        }
        for (String key : List.of("attention_bias", "mlp_bias")) {
            if (json.bool(key).orElse(false)) {
                throw unsupported(json, "`" + key + "`; layers without biases are supported");
            }
        }
        refusePartialRope(json);
    }

    private void refuseQuantised(JsonObject quantisation) {
        throw unsupported(
                json,
                "weights quantised by " + quantisation.string("quant_method").orElse("an unnamed method")
                        + "; unquantised safetensors and GGUF files are supported");
    }

    private void refuseScaledRope(String key, JsonObject scaling) {
        String type =
                scaling.string("rope_type").or(() -> scaling.string("type")).orElse("default");
        if (!type.equals("default")) {
            throw unsupported(json, "`" + key + "` of type " + type + "; plain rotary embedding is supported");
        }
        // Newer configurations may hold one object per kind of attention layer instead.
        for (String member : scaling.keys()) {
            if (scaling.isObject(member)) {
                throw unsupported(json, "`" + key + "` with its own values for " + member);
            }
        }
        refusePartialRope(scaling);
    }

    private void refusePartialRope(JsonObject object) {
        double rotated = object.number("partial_rotary_factor").orElse(1);
        if (rotated != 1) {
            throw unsupported(json, "`partial_rotary_factor` " + rotated + "; rotation of whole heads is supported");
        }
    }

    private static UnsupportedModelException unsupported(JsonObject json, String what) {
        return new UnsupportedModelException(json.file() + ": " + what + ".");
    }
}
