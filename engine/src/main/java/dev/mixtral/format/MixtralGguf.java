package dev.mixtral.format;

import dev.mixtral.format.Checkpoint.NamedTemplate;
import dev.mixtral.format.TokenizerSource.GgufVocabulary;
import dev.mixtral.format.gguf.GgufValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What a Mixtral looks like as a GGUF file of architecture `llama`: keys and tensors, as llama.cpp's own converter
/// writes them. The inverse of [GgufConfig] and [GgufTokenizer].
public final class MixtralGguf {
    private static final String TEMPLATE_KEY = "tokenizer.chat_template";
    private static final int UNUSED_PIECE = 5;
    private static final float PADDING_SCORE = -1000;

    private MixtralGguf() {}

    /// A tensor of the file.
    ///
    /// @param name its name there
    /// @param shape outermost dimension first
    /// @param weights the names in [Checkpoint] of what it consists of: one weight, or that of all experts, stacked
    public record Part(String name, long[] shape, List<String> weights) {}

    /// Returns the keys that describe the architecture, for changes.
    ///
    /// @param name what the model is called
    public static Map<String, GgufValue> metadata(String name, MixtralConfig config) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.of("llama"));
        metadata.put("general.name", GgufValue.of(name));
        metadata.put("llama.vocab_size", GgufValue.of(config.vocabSize()));
        metadata.put("llama.context_length", GgufValue.of(config.contextLength()));
        metadata.put("llama.embedding_length", GgufValue.of(config.dim()));
        metadata.put("llama.block_count", GgufValue.of(config.numLayers()));
        metadata.put("llama.feed_forward_length", GgufValue.of(config.ffnDim()));
        metadata.put("llama.rope.dimension_count", GgufValue.of(config.headDim()));
        metadata.put("llama.rope.freq_base", GgufValue.of((float) config.ropeTheta()));
        metadata.put("llama.attention.head_count", GgufValue.of(config.numHeads()));
        metadata.put("llama.attention.head_count_kv", GgufValue.of(config.numKvHeads()));
        metadata.put("llama.attention.key_length", GgufValue.of(config.headDim()));
        metadata.put("llama.attention.value_length", GgufValue.of(config.headDim()));
        metadata.put("llama.attention.layer_norm_rms_epsilon", GgufValue.of(config.normEps()));
        if (!config.isDense()) {
            metadata.put("llama.expert_count", GgufValue.of(config.numExperts()));
            metadata.put("llama.expert_used_count", GgufValue.of(config.numExpertsPerToken()));
        }
        return metadata;
    }

    /// Adds the keys of a vocabulary. Rows of the embedding beyond its pieces get unused ones, because llama.cpp
    /// wants one for each.
    ///
    /// @param vocabSize rows of the embedding, at least as many as pieces
    public static void putVocabulary(Map<String, GgufValue> metadata, GgufVocabulary vocabulary, int vocabSize) {
        int numPieces = vocabulary.tokens().length;
        List<byte[]> tokens = new ArrayList<>(Arrays.asList(vocabulary.tokens()));
        float[] scores = Arrays.copyOf(vocabulary.scores(), vocabSize);
        int[] types = Arrays.copyOf(vocabulary.types(), vocabSize);
        for (int id = numPieces; id < vocabSize; id++) {
            tokens.add(("[PAD" + id + "]").getBytes(StandardCharsets.UTF_8));
            scores[id] = PADDING_SCORE;
            types[id] = UNUSED_PIECE;
        }
        metadata.put("tokenizer.ggml.model", GgufValue.of(vocabulary.model()));
        metadata.put("tokenizer.ggml.pre", GgufValue.of("default"));
        metadata.put("tokenizer.ggml.tokens", GgufValue.of(tokens));
        metadata.put("tokenizer.ggml.scores", GgufValue.of(scores));
        metadata.put("tokenizer.ggml.token_type", GgufValue.of(types));
        putId(metadata, "tokenizer.ggml.bos_token_id", vocabulary.bosTokenId());
        putId(metadata, "tokenizer.ggml.eos_token_id", vocabulary.eosTokenId());
        putId(metadata, "tokenizer.ggml.unknown_token_id", vocabulary.unknownTokenId());
        metadata.put("tokenizer.ggml.add_bos_token", GgufValue.of(true));
        metadata.put("tokenizer.ggml.add_eos_token", GgufValue.of(false));
        metadata.put("tokenizer.ggml.add_space_prefix", GgufValue.of(vocabulary.addSpacePrefix()));
    }

    /// Adds the key that says that the file has no vocabulary.
    public static void putNoVocabulary(Map<String, GgufValue> metadata) {
        metadata.put("tokenizer.ggml.model", GgufValue.of("none"));
    }

    /// Adds chat templates, the one called `default` as the main one.
    public static void putChatTemplates(Map<String, GgufValue> metadata, List<NamedTemplate> templates) {
        for (NamedTemplate template : templates) {
            String key = template.name().equals("default") ? TEMPLATE_KEY : TEMPLATE_KEY + "." + template.name();
            metadata.put(key, GgufValue.of(template.text()));
        }
    }

    private static void putId(Map<String, GgufValue> metadata, String key, @Nullable Integer id) {
        if (id != null) {
            metadata.put(key, GgufValue.of(id));
        }
    }

    /// Returns all tensors of a model, experts stacked, in the order of the forward pass.
    ///
    /// @param tied whether the output matrix is the embedding, and hence left out
    public static List<Part> parts(MixtralConfig config, boolean tied) {
        WeightNames names = WeightNames.GGUF;
        List<Part> parts = new ArrayList<>();
        parts.add(part(names.embedding(), "tok_embeddings", config.vocabSize(), config.dim()));
        for (int l = 0; l < config.numLayers(); l++) {
            addLayer(parts, config, names.layerPrefix().replace("{l}", Integer.toString(l)), "layers." + l + ".");
        }
        parts.add(part(names.norm(), "norm", config.dim()));
        if (!tied) {
            parts.add(part(names.output(), "output", config.vocabSize(), config.dim()));
        }
        return parts;
    }

    private static void addLayer(List<Part> parts, MixtralConfig config, String file, String ours) {
        WeightNames names = WeightNames.GGUF;
        parts.add(part(file + names.attentionNorm(), ours + "attention_norm", config.dim()));
        parts.add(part(file + names.wq(), ours + "attention.wq", config.queryDim(), config.dim()));
        parts.add(part(file + names.wk(), ours + "attention.wk", config.kvDim(), config.dim()));
        parts.add(part(file + names.wv(), ours + "attention.wv", config.kvDim(), config.dim()));
        parts.add(part(file + names.wo(), ours + "attention.wo", config.dim(), config.queryDim()));
        parts.add(part(file + names.ffnNorm(), ours + "ffn_norm", config.dim()));
        if (!config.isDense()) {
            String router = names.router().getFirst();
            parts.add(part(file + router, ours + "feed_forward.gate", config.numExperts(), config.dim()));
        }
        String suffix = config.isDense() ? ".weight" : "_exps.weight";
        String experts = ours + "feed_forward.experts.";
        parts.add(expertPart(file + "ffn_gate" + suffix, experts, ".w1", config, config.ffnDim(), config.dim()));
        parts.add(expertPart(file + "ffn_up" + suffix, experts, ".w3", config, config.ffnDim(), config.dim()));
        parts.add(expertPart(file + "ffn_down" + suffix, experts, ".w2", config, config.dim(), config.ffnDim()));
    }

    private static Part part(String name, String weight, long... shape) {
        return new Part(name, shape, List.of(weight));
    }

    private static Part expertPart(
            String name, String experts, String matrix, MixtralConfig config, long rows, long cols) {
        List<String> weights = IntStream.range(0, config.numExperts())
                .mapToObj(e -> experts + e + matrix)
                .toList();
        long[] shape = config.isDense() ? new long[] {rows, cols} : new long[] {config.numExperts(), rows, cols};
        return new Part(name, shape, weights);
    }
}
