package dev.mixtral.train;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.tensor.DType;
import dev.mixtral.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Writes a trained model as Hugging Face publishes Mixtral: weights in bf16, config, tokenizer, chat template.
///
/// `tokenizer.model` is expected to lie in the folder already.
public final class ModelFolder {
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final Path folder;

    /// @param folder exists
    public ModelFolder(Path folder) {
        this.folder = folder;
    }

    /// Writes all files.
    public void write(Parameters parameters, Tokenizer tokenizer) {
        writeWeights(parameters);
        writeJson("config.json", config(parameters.config(), tokenizer));
        writeJson("generation_config.json", generationConfig(tokenizer));
        writeJson("tokenizer_config.json", tokenizerConfig());
    }

    /// Writes the weights alone.
    public void writeWeights(Parameters parameters) {
        List<SafetensorsWriter.Entry> entries = new ArrayList<>();
        parameters
                .published()
                .forEach((name, tensor) -> entries.add(
                        new SafetensorsWriter.Entry(name, DType.BF16, shape(tensor), Parameters.toArray(tensor))));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), Map.of("format", "pt"), entries);
    }

    private static long[] shape(Tensor tensor) {
        long[] shape = new long[Math.toIntExact(tensor.dim())];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = tensor.size(i);
        }
        return shape;
    }

    private static ObjectNode config(MixtralConfig config, Tokenizer tokenizer) {
        ObjectNode json = JSON.createObjectNode();
        json.putArray("architectures").add("MixtralForCausalLM");
        return json.put("model_type", "mixtral")
                .put("hidden_size", config.dim())
                .put("intermediate_size", config.ffnDim())
                .put("num_hidden_layers", config.numLayers())
                .put("num_attention_heads", config.numHeads())
                .put("num_key_value_heads", config.numKvHeads())
                .put("head_dim", config.headDim())
                .put("num_local_experts", config.numExperts())
                .put("num_experts_per_tok", config.numExpertsPerToken())
                .put("vocab_size", config.vocabSize())
                .put("max_position_embeddings", config.contextLength())
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", config.ropeTheta())
                .put("hidden_act", "silu")
                .putNull("sliding_window")
                .put("tie_word_embeddings", false)
                .put("attention_dropout", 0.0)
                .put("bos_token_id", tokenizer.bosId())
                .put("eos_token_id", tokenizer.eosId())
                .put("torch_dtype", "bfloat16")
                .put("router_aux_loss_coef", 0.02)
                .put("output_router_logits", false);
    }

    private static ObjectNode generationConfig(Tokenizer tokenizer) {
        return JSON.createObjectNode()
                .put("_from_model_config", true)
                .put("bos_token_id", tokenizer.bosId())
                .put("eos_token_id", tokenizer.eosId());
    }

    private static ObjectNode tokenizerConfig() {
        return JSON.createObjectNode()
                .put("tokenizer_class", "LlamaTokenizer")
                .put("add_bos_token", true)
                .put("add_eos_token", false)
                .put("bos_token", "<s>")
                .put("eos_token", "</s>")
                .put("unk_token", "<unk>")
                .put("legacy", true)
                .put("clean_up_tokenization_spaces", false)
                .put("chat_template", resource("chat_template.jinja"));
    }

    private static String resource(String name) {
        try (InputStream in = Objects.requireNonNull(ModelFolder.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the resource " + name, e);
        }
    }

    private void writeJson(String name, ObjectNode json) {
        Path file = folder.resolve(name);
        try {
            Files.writeString(file, JSON.writeValueAsString(json) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
