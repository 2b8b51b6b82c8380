package dev.mixtral.format;

import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.tensor.Tensor;
import java.util.List;
import java.util.Map;

/// How one family of files names the weights; [Checkpoint] has the names that they get.
///
/// @param layerPrefix what precedes the names of a layer; `{l}` stands for the layer
/// @param router one name per variant
/// @param experts one entry per variant, dense last
/// @param ignored names in a layer that carry nothing but derived values
record WeightNames(
        String embedding,
        String output,
        String norm,
        String layerPrefix,
        String attentionNorm,
        String ffnNorm,
        String wq,
        String wk,
        String wv,
        String wo,
        List<String> router,
        List<ExpertNames> experts,
        List<String> ignored) {

    /// Hugging Face: `MixtralForCausalLM`, what transformers 5 saves without its original format, and the dense
    /// `MistralForCausalLM` and `LlamaForCausalLM`.
    static final WeightNames HUGGING_FACE = new WeightNames(
            "model.embed_tokens.weight",
            "lm_head.weight",
            "model.norm.weight",
            "model.layers.{l}.",
            "input_layernorm.weight",
            "post_attention_layernorm.weight",
            "self_attn.q_proj.weight",
            "self_attn.k_proj.weight",
            "self_attn.v_proj.weight",
            "self_attn.o_proj.weight",
            List.of("block_sparse_moe.gate.weight", "mlp.gate.weight"),
            List.of(
                    new ExpertNames.PerExpert(
                            "block_sparse_moe.experts.{e}.w1.weight",
                            "block_sparse_moe.experts.{e}.w2.weight",
                            "block_sparse_moe.experts.{e}.w3.weight"),
                    new ExpertNames.Fused("mlp.experts.gate_up_proj", "mlp.experts.down_proj"),
                    new ExpertNames.Dense("mlp.gate_proj.weight", "mlp.down_proj.weight", "mlp.up_proj.weight")),
            List.of("self_attn.rotary_emb.inv_freq"));

    /// Mistral's own `consolidated.safetensors`.
    static final WeightNames MISTRAL = new WeightNames(
            "tok_embeddings.weight",
            "output.weight",
            "norm.weight",
            "layers.{l}.",
            "attention_norm.weight",
            "ffn_norm.weight",
            "attention.wq.weight",
            "attention.wk.weight",
            "attention.wv.weight",
            "attention.wo.weight",
            List.of("feed_forward.gate.weight", "block_sparse_moe.gate.weight"),
            List.of(
                    new ExpertNames.PerExpert(
                            "feed_forward.experts.{e}.w1.weight",
                            "feed_forward.experts.{e}.w2.weight",
                            "feed_forward.experts.{e}.w3.weight"),
                    new ExpertNames.Dense(
                            "feed_forward.w1.weight", "feed_forward.w2.weight", "feed_forward.w3.weight")),
            List.of());

    /// GGUF of architecture `llama`: stacked experts since April 2024, single ones before, and dense.
    static final WeightNames GGUF = new WeightNames(
            "token_embd.weight",
            "output.weight",
            "output_norm.weight",
            "blk.{l}.",
            "attn_norm.weight",
            "ffn_norm.weight",
            "attn_q.weight",
            "attn_k.weight",
            "attn_v.weight",
            "attn_output.weight",
            List.of("ffn_gate_inp.weight"),
            List.of(
                    new ExpertNames.Stacked("ffn_gate_exps.weight", "ffn_down_exps.weight", "ffn_up_exps.weight"),
                    new ExpertNames.PerExpert("ffn_gate.{e}.weight", "ffn_down.{e}.weight", "ffn_up.{e}.weight"),
                    new ExpertNames.Fused("ffn_gate_up_exps.weight", "ffn_down_exps.weight"),
                    new ExpertNames.Dense("ffn_gate.weight", "ffn_down.weight", "ffn_up.weight")),
            List.of());

    /// Finds every weight of the architecture.
    ///
    /// @param source where the tensors come from, for messages
    /// @param tied whether the output matrix is the embedding
    /// @return by canonical name
    Map<String, Tensor> resolve(String source, List<StoredTensor> tensors, MixtralConfig config, boolean tied) {
        WeightResolver weights = new WeightResolver(source, tensors);
        weights.take("tok_embeddings", embedding, config.vocabSize(), config.dim());
        if (tied) {
            weights.ignore(output);
            weights.alias("output", "tok_embeddings");
        } else {
            weights.take("output", output, config.vocabSize(), config.dim());
        }
        weights.take("norm", norm, config.dim());
        for (int l = 0; l < config.numLayers(); l++) {
            takeLayer(weights, config, l);
        }
        return weights.finish();
    }

    private void takeLayer(WeightResolver weights, MixtralConfig config, int l) {
        String from = layerPrefix.replace("{l}", Integer.toString(l));
        String to = "layers." + l + ".";
        weights.take(to + "attention_norm", from + attentionNorm, config.dim());
        weights.take(to + "ffn_norm", from + ffnNorm, config.dim());
        weights.take(to + "attention.wq", from + wq, config.queryDim(), config.dim());
        weights.take(to + "attention.wk", from + wk, config.kvDim(), config.dim());
        weights.take(to + "attention.wv", from + wv, config.kvDim(), config.dim());
        weights.take(to + "attention.wo", from + wo, config.dim(), config.queryDim());
        takeRouter(weights, config, from, to);
        ExpertNames.takeAll(experts, weights, config, from, to + "feed_forward.experts.");
        ignored.forEach(name -> weights.ignore(from + name));
    }

    private void takeRouter(WeightResolver weights, MixtralConfig config, String from, String to) {
        if (config.isDense()) {
            // The router of a single expert always answers 1.
            router.forEach(name -> weights.ignore(from + name));
            return;
        }
        String name = router.stream()
                .filter(candidate -> weights.has(from + candidate))
                .findFirst()
                .orElse(router.getFirst());
        weights.take(to + "feed_forward.gate", from + name, config.numExperts(), config.dim());
    }
}
