package dev.mixtral.testing;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.MixtralGguf;
import dev.mixtral.format.TokenizerSource.GgufVocabulary;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.tensor.BFloat16;
import dev.mixtral.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import tools.jackson.databind.json.JsonMapper;

/// Small random Mixtrals, written in every layout. All files of one model hold the same weights, which BF16, F16 and
/// F32 all represent exactly.
public final class TestModels {
    private static final JsonMapper MAPPER = new JsonMapper();

    private TestModels() {}

    /// A model in memory.
    ///
    /// @param weights by the names of [dev.mixtral.format.Checkpoint]; rows of `wq` and `wk` interleaved
    public record TestModel(MixtralConfig config, Map<String, float[]> weights) {
        /// Returns the values of a tensor.
        public float[] values(String name) {
            return Objects.requireNonNull(weights.get(name), name);
        }
    }

    /// Returns the smallest configuration with everything in it: 2 layers, 4 experts of which 2 are used, 2 query
    /// heads per key head, a width that is not `numHeads * headDim`.
    public static MixtralConfig microConfig() {
        return new MixtralConfig(32, 64, 2, 4, 2, 16, 4, 2, 48, 1e-5f, 1e6, 256);
    }

    /// Returns a model with random weights.
    public static TestModel random(MixtralConfig config, long seed) {
        Random random = new Random(seed);
        Map<String, float[]> weights = new LinkedHashMap<>();
        TestNames.shapes(config).forEach((name, shape) -> {
            float mean = shape.length == 1 ? 1 : 0;
            float scale = (float) (shape.length == 1 ? 0.1 : 1 / Math.sqrt((double) shape[shape.length - 1]));
            weights.put(name, randomValues(random, shape, mean, scale));
        });
        return new TestModel(config, weights);
    }

    private static float[] randomValues(Random random, long[] shape, float mean, float scale) {
        float[] values = new float[Math.toIntExact(numElements(shape))];
        for (int i = 0; i < values.length; i++) {
            float value = BFloat16.toFloat(BFloat16.fromFloat(mean + scale * (float) random.nextGaussian()));
            // Below this, F16 has fewer bits than BF16.
            values[i] = Math.abs(value) < 0x1p-14 ? 0 : value;
        }
        return values;
    }

    /// Writes `config.json`, `generation_config.json` and `model.safetensors`.
    ///
    /// @param type F32, F16 or BF16
    public static void writeHuggingFace(TestModel model, Path folder, DType type) {
        writeText(folder.resolve("config.json"), MAPPER.writeValueAsString(huggingFaceConfig(model.config())));
        writeText(folder.resolve("generation_config.json"), "{\"bos_token_id\": 1, \"eos_token_id\": 2}");
        SafetensorsWriter.write(
                folder.resolve("model.safetensors"), Map.of("format", "pt"), huggingFaceEntries(model, type));
    }

    /// Returns the tensors of `model.safetensors`.
    public static List<SafetensorsWriter.Entry> huggingFaceEntries(TestModel model, DType type) {
        List<SafetensorsWriter.Entry> entries = new ArrayList<>();
        MixtralConfig config = model.config();
        TestNames.shapes(config).forEach((name, shape) -> {
            float[] values = model.values(name);
            boolean rotated = name.endsWith(".wq") || name.endsWith(".wk");
            float[] stored = rotated ? RopeRows.halfSplit(values, config.headDim(), config.dim()) : values;
            entries.add(new SafetensorsWriter.Entry(TestNames.huggingFace(name, config), type, shape, stored));
        });
        return entries;
    }

    /// Returns the content of `config.json`, for changes.
    public static Map<String, Object> huggingFaceConfig(MixtralConfig config) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("architectures", List.of(config.isDense() ? "MistralForCausalLM" : "MixtralForCausalLM"));
        json.put("model_type", config.isDense() ? "mistral" : "mixtral");
        json.put("hidden_size", config.dim());
        json.put("intermediate_size", config.ffnDim());
        json.put("num_hidden_layers", config.numLayers());
        json.put("num_attention_heads", config.numHeads());
        json.put("num_key_value_heads", config.numKvHeads());
        json.put("head_dim", config.headDim());
        json.put("vocab_size", config.vocabSize());
        json.put("rms_norm_eps", (double) config.normEps());
        json.put("rope_theta", config.ropeTheta());
        json.put("max_position_embeddings", config.contextLength());
        json.put("hidden_act", "silu");
        if (!config.isDense()) {
            json.put("num_local_experts", config.numExperts());
            json.put("num_experts_per_tok", config.numExpertsPerToken());
        }
        return json;
    }

    /// Writes `params.json` and `consolidated.safetensors` in BF16.
    public static void writeMistral(TestModel model, Path folder) {
        writeText(folder.resolve("params.json"), MAPPER.writeValueAsString(mistralParams(model.config())));
        List<SafetensorsWriter.Entry> entries = new ArrayList<>();
        TestNames.shapes(model.config())
                .forEach((name, shape) -> entries.add(new SafetensorsWriter.Entry(
                        TestNames.mistral(name, model.config()), DType.BF16, shape, model.values(name))));
        SafetensorsWriter.write(folder.resolve("consolidated.safetensors"), Map.of(), entries);
    }

    /// Returns the content of `params.json`, for changes.
    public static Map<String, Object> mistralParams(MixtralConfig config) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("dim", config.dim());
        json.put("n_layers", config.numLayers());
        json.put("head_dim", config.headDim());
        json.put("hidden_dim", config.ffnDim());
        json.put("n_heads", config.numHeads());
        json.put("n_kv_heads", config.numKvHeads());
        json.put("norm_eps", (double) config.normEps());
        json.put("rope_theta", config.ropeTheta());
        json.put("vocab_size", config.vocabSize());
        json.put("max_position_embeddings", config.contextLength());
        if (!config.isDense()) {
            json.put(
                    "moe",
                    Map.of("num_experts", config.numExperts(), "num_experts_per_tok", config.numExpertsPerToken()));
        }
        return json;
    }

    /// Writes a GGUF file in F32 with stacked experts and a small vocabulary.
    public static void writeGguf(TestModel model, Path file) {
        GgufWriter.write(file, ggufMetadata(model.config()), ggufEntries(model, true));
    }

    /// Returns the tensors of a GGUF file in F32.
    ///
    /// @param stacked whether all experts of a layer are in one tensor
    public static List<GgufWriter.Entry> ggufEntries(TestModel model, boolean stacked) {
        MixtralConfig config = model.config();
        List<GgufWriter.Entry> entries = new ArrayList<>();
        TestNames.shapes(config).forEach((name, shape) -> {
            boolean expert = name.contains(".experts.") && !config.isDense();
            if (!expert || !stacked) {
                entries.add(GgufWriter.Entry.of(TestNames.gguf(name, config), shape, model.values(name)));
            } else if (name.contains(".experts.0.")) {
                long[] all = {config.numExperts(), shape[0], shape[1]};
                entries.add(GgufWriter.Entry.of(TestNames.ggufStacked(name), all, stack(model, name)));
            }
        });
        return entries;
    }

    private static float[] stack(TestModel model, String nameOfFirst) {
        int size = model.values(nameOfFirst).length;
        float[] stacked = new float[model.config().numExperts() * size];
        for (int e = 0; e < model.config().numExperts(); e++) {
            String name = nameOfFirst.replace(".experts.0.", ".experts." + e + ".");
            System.arraycopy(model.values(name), 0, stacked, e * size, size);
        }
        return stacked;
    }

    /// Returns the metadata of a GGUF file, for changes.
    public static Map<String, GgufValue> ggufMetadata(MixtralConfig config) {
        Map<String, GgufValue> metadata = MixtralGguf.metadata("random test model", config);
        MixtralGguf.putVocabulary(metadata, vocabulary(config.vocabSize()), config.vocabSize());
        return metadata;
    }

    /// Returns a vocabulary of that many tokens: `<unk>`, `<s>`, `</s>`, `t3`, `t4`, and so on.
    public static GgufVocabulary vocabulary(int vocabSize) {
        byte[][] tokens = new byte[vocabSize][];
        float[] scores = new float[vocabSize];
        int[] types = new int[vocabSize];
        for (int id = 0; id < vocabSize; id++) {
            String token = id < 3 ? List.of("<unk>", "<s>", "</s>").get(id) : "t" + id;
            tokens[id] = token.getBytes(StandardCharsets.UTF_8);
            scores[id] = -id;
            types[id] = id == 0 ? 2 : id < 3 ? 3 : 1;
        }
        return new GgufVocabulary("random test model", "llama", tokens, scores, types, 1, 2, 0, true);
    }

    /// Writes JSON.
    public static void writeJson(Path file, Map<String, ?> json) {
        writeText(file, MAPPER.writeValueAsString(json));
    }

    /// Writes text.
    public static void writeText(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long numElements(long[] shape) {
        long numElements = 1;
        for (long n : shape) {
            numElements *= n;
        }
        return numElements;
    }
}
