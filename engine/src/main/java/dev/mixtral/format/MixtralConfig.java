package dev.mixtral.format;

/// The numbers that fix a model's architecture, whatever file they came from.
///
/// | here | Mistral `params.json` | HF `config.json` | GGUF (`llama.`) |
/// |---|---|---|---|
/// | `dim` | dim | hidden_size | embedding_length |
/// | `ffnDim` | hidden_dim | intermediate_size | feed_forward_length |
/// | `numLayers` | n_layers | num_hidden_layers | block_count |
/// | `numHeads`, `numKvHeads` | n_heads, n_kv_heads | num_attention_heads, num_key_value_heads |
/// attention.head_count(_kv) |
/// | `headDim` | head_dim | head_dim or hidden_size / heads | rope.dimension_count |
/// | `numExperts`, `numExpertsPerToken` | moe.* | num_local_experts, num_experts_per_tok | expert_count,
/// expert_used_count |
///
/// @param dim width of the residual stream (4096 for 8x7B)
/// @param ffnDim inner width of one expert (14336)
/// @param numLayers transformer blocks (32)
/// @param numHeads query heads (32)
/// @param numKvHeads key/value heads (8); divides `numHeads`
/// @param headDim width of one head (128)
/// @param numExperts experts per layer (8); 1 means a dense model, which has no router
/// @param numExpertsPerToken experts that each token visits (2); 1 for a dense model
/// @param vocabSize rows of the embedding and of the output matrix (32,000)
/// @param normEps epsilon of RMSNorm (1e-5)
/// @param ropeTheta base of the rotary frequencies (1e6)
/// @param contextLength positions the model was trained for (32,768)
public record MixtralConfig(
        int dim,
        int ffnDim,
        int numLayers,
        int numHeads,
        int numKvHeads,
        int headDim,
        int numExperts,
        int numExpertsPerToken,
        int vocabSize,
        float normEps,
        double ropeTheta,
        int contextLength) {

    /// Returns whether the model has one expert that every token visits, hence no router.
    public boolean isDense() {
        return numExperts == 1;
    }

    /// Returns the width of all query heads together.
    public int queryDim() {
        return numHeads * headDim;
    }

    /// Returns the width of all key (or value) heads together.
    public int kvDim() {
        return numKvHeads * headDim;
    }

    /// Returns the number of weights, with an untied output matrix.
    public long numParameters() {
        return numParametersWith(numExperts);
    }

    /// Returns the number of weights that one token meets, the embedding and output matrices included.
    public long numActiveParameters() {
        return numParametersWith(numExpertsPerToken);
    }

    private long numParametersWith(int experts) {
        long attention = 2L * dim * queryDim() + 2L * dim * kvDim();
        long router = isDense() ? 0 : (long) numExperts * dim;
        long layer = attention + router + 3L * experts * dim * ffnDim + 2L * dim;
        return numLayers * layer + 2L * vocabSize * dim + dim;
    }
}
