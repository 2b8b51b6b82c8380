package dev.mixtral.testing;

import dev.mixtral.format.MixtralConfig;
import java.util.LinkedHashMap;
import java.util.Map;

/// The names and shapes of a model's tensors, written down independently of the readers.
public final class TestNames {
    private TestNames() {}

    /// Returns the shapes of all tensors by the names of [dev.mixtral.format.Checkpoint].
    public static Map<String, long[]> shapes(MixtralConfig config) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        long[] perVocabulary = {config.vocabSize(), config.dim()};
        shapes.put("tok_embeddings", perVocabulary);
        for (int l = 0; l < config.numLayers(); l++) {
            putLayer(shapes, "layers." + l + ".", config);
        }
        shapes.put("norm", new long[] {config.dim()});
        shapes.put("output", perVocabulary);
        return shapes;
    }

    private static void putLayer(Map<String, long[]> shapes, String layer, MixtralConfig config) {
        shapes.put(layer + "attention_norm", new long[] {config.dim()});
        shapes.put(layer + "attention.wq", new long[] {config.queryDim(), config.dim()});
        shapes.put(layer + "attention.wk", new long[] {config.kvDim(), config.dim()});
        shapes.put(layer + "attention.wv", new long[] {config.kvDim(), config.dim()});
        shapes.put(layer + "attention.wo", new long[] {config.dim(), config.queryDim()});
        shapes.put(layer + "ffn_norm", new long[] {config.dim()});
        if (!config.isDense()) {
            shapes.put(layer + "feed_forward.gate", new long[] {config.numExperts(), config.dim()});
        }
        for (int e = 0; e < config.numExperts(); e++) {
            String expert = layer + "feed_forward.experts." + e + ".";
            shapes.put(expert + "w1", new long[] {config.ffnDim(), config.dim()});
            shapes.put(expert + "w2", new long[] {config.dim(), config.ffnDim()});
            shapes.put(expert + "w3", new long[] {config.ffnDim(), config.dim()});
        }
    }

    /// Returns a tensor's name in Hugging Face's layout.
    public static String huggingFace(String name, MixtralConfig config) {
        String dense = config.isDense()
                ? name.replace("feed_forward.experts.0.w1", "mlp.gate_proj")
                        .replace("feed_forward.experts.0.w2", "mlp.down_proj")
                        .replace("feed_forward.experts.0.w3", "mlp.up_proj")
                : name;
        String inner = dense.replace("attention_norm", "input_layernorm")
                .replace("ffn_norm", "post_attention_layernorm")
                .replaceAll("attention\\.w(.)$", "self_attn.$1_proj")
                .replace("feed_forward", "block_sparse_moe")
                .replace("tok_embeddings", "embed_tokens");
        return (inner.equals("output") ? "lm_head" : "model." + inner) + ".weight";
    }

    /// Returns a tensor's name in Mistral's layout.
    public static String mistral(String name, MixtralConfig config) {
        return (config.isDense() ? name.replace("feed_forward.experts.0.", "feed_forward.") : name) + ".weight";
    }

    /// Returns a tensor's name in GGUF, with one tensor per expert.
    public static String gguf(String name, MixtralConfig config) {
        String expert = config.isDense() ? "" : ".$1";
        return name.replace("layers.", "blk.")
                        .replace("tok_embeddings", "token_embd")
                        .replaceAll("^norm$", "output_norm")
                        .replace("attention_norm", "attn_norm")
                        .replace("attention.wo", "attn_output")
                        .replaceAll("attention\\.w(.)$", "attn_$1")
                        .replace("feed_forward.gate", "ffn_gate_inp")
                        .replaceAll("feed_forward\\.experts\\.(\\d+)\\.w1", "ffn_gate" + expert)
                        .replaceAll("feed_forward\\.experts\\.(\\d+)\\.w2", "ffn_down" + expert)
                        .replaceAll("feed_forward\\.experts\\.(\\d+)\\.w3", "ffn_up" + expert)
                + ".weight";
    }

    /// Returns the name in GGUF of the tensor that holds a matrix of all experts.
    public static String ggufStacked(String name) {
        return name.replace("layers.", "blk.")
                        .replaceAll("feed_forward\\.experts\\.\\d+\\.w1", "ffn_gate_exps")
                        .replaceAll("feed_forward\\.experts\\.\\d+\\.w2", "ffn_down_exps")
                        .replaceAll("feed_forward\\.experts\\.\\d+\\.w3", "ffn_up_exps")
                + ".weight";
    }
}
