package dev.mixtral.lora;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// A low-rank adapter of a model (LoRA, arXiv 2106.09685). Immutable, as long as nobody writes to the arrays.
///
/// @param config how it was trained; its scaling holds for every module
/// @param modules by the names of the modules in Hugging Face's Mixtral before Transformers 5, such as
///     `model.layers.0.self_attn.q_proj`, `model.layers.0.block_sparse_moe.experts.3.w1`,
///     `model.layers.0.block_sparse_moe.gate` or `lm_head`; in a dense model `model.layers.0.mlp.gate_proj`
public record LoraAdapter(LoraConfig config, Map<String, LoraWeights> modules) {
    public LoraAdapter {
        modules = Collections.unmodifiableMap(new LinkedHashMap<>(modules));
    }

    /// Returns the number of trained numbers.
    public long numParameters() {
        return modules.values().stream()
                .mapToLong(weights -> (long) weights.a().length
                        + weights.b().length
                        + (weights.magnitude() == null ? 0 : weights.out()))
                .sum();
    }
}
