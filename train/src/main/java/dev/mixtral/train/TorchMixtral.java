package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.rms_norm;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;
import static org.bytedeco.pytorch.global.torch.split;

import dev.mixtral.format.MixtralConfig;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;

/// Mixtral's forward pass on PyTorch tensors, differentiable: the second, independent implementation of the model.
///
/// Pre-norm transformer blocks: RMSNorm (arXiv 1910.07467), rotary embedding over half-split heads (2104.09864),
/// grouped-query causal attention (2305.13245), and a sparse mixture of SwiGLU experts ([TorchMoe]). All in f32.
/// Tensors made during a call live until the caller's [PointerScope] closes. Confined to one thread at a time.
final class TorchMixtral {
    private final Parameters parameters;
    private final MixtralConfig config;
    private final Tensor cosines;
    private final Tensor sines;

    TorchMixtral(Parameters parameters) {
        this.parameters = parameters;
        this.config = parameters.config();
        this.cosines = rotation(true);
        this.sines = rotation(false);
    }

    private TorchMixtral(TorchMixtral other) {
        this.parameters = other.parameters.replica();
        this.config = other.config;
        this.cosines = other.cosines;
        this.sines = other.sines;
    }

    /// Returns a model over the same weights with gradients of its own, for another thread.
    TorchMixtral replica() {
        return new TorchMixtral(this);
    }

    Parameters parameters() {
        return parameters;
    }

    MixtralConfig config() {
        return config;
    }

    /// Runs all blocks over `rows` sequences of equal length, each starting at position 0.
    ///
    /// @param ids `rows * length` token ids, sequence after sequence
    /// @return the normalised final states, and what the routers did
    Output forward(long[] ids, int rows, int length) {
        if (length > config.contextLength() || ids.length != rows * length) {
            throw new IllegalArgumentException("%d ids as %d sequences of %d, context %d"
                    .formatted(ids.length, rows, length, config.contextLength()));
        }
        Tensor x = embedding(parameters.block("model.embed_tokens.weight"), Tensor.create(ids));
        RouterStatistics statistics = new RouterStatistics(config);
        for (int layer = 0; layer < config.numLayers(); layer++) {
            String name = "model.layers." + layer;
            x = x.add(attention(norm(x, name + ".input_layernorm.weight"), layer, rows, length));
            Tensor h = norm(x, name + ".post_attention_layernorm.weight");
            x = x.add(TorchMoe.forward(parameters, layer, h, statistics));
        }
        return new Output(norm(x, "model.norm.weight"), statistics);
    }

    /// Returns the logits `[N, vocabSize]` of final states `[N, dim]`.
    Tensor logits(Tensor states) {
        return linear(states, parameters.block("lm_head.weight"));
    }

    private Tensor norm(Tensor x, String weight) {
        return rms_norm(
                x,
                new long[] {config.dim()},
                new TensorOptional(parameters.block(weight)),
                new DoubleOptional(config.normEps()));
    }

    private Tensor attention(Tensor x, int layer, int rows, int length) {
        int heads = config.numHeads();
        int kvHeads = config.numKvHeads();
        Tensor qkv = linear(x, parameters.block(Parameters.qkvName(layer)))
                .reshape(rows, length, heads + 2L * kvHeads, config.headDim());
        Tensor rotated = rotate(qkv.narrow(2, 0, heads + kvHeads), length).transpose(1, 2);
        Tensor q = rotated.narrow(1, 0, heads);
        Tensor k = shareHeads(rotated.narrow(1, heads, kvHeads), rows, length);
        Tensor v = shareHeads(qkv.narrow(2, heads + kvHeads, kvHeads).transpose(1, 2), rows, length);
        Tensor mixed =
                scaled_dot_product_attention(q, k, v, new TensorOptional(), 0.0, true, new DoubleOptional(), false);
        Tensor joined = mixed.transpose(1, 2).reshape((long) rows * length, config.queryDim());
        return linear(joined, parameters.block("model.layers." + layer + ".self_attn.o_proj.weight"));
    }

    /// Repeats each KV head for the consecutive query heads that share it: `[B, KV, T, d]` to `[B, H, T, d]`.
    private Tensor shareHeads(Tensor kv, int rows, int length) {
        int group = config.numHeads() / config.numKvHeads();
        if (group == 1) {
            return kv;
        }
        return kv.unsqueeze(2)
                .expand(rows, config.numKvHeads(), group, length, config.headDim())
                .reshape(rows, config.numHeads(), length, config.headDim());
    }

    /// Rotates the pairs `(i, i + headDim / 2)` of `[B, T, heads, headDim]` by their position.
    private Tensor rotate(Tensor x, int length) {
        TensorVector halves = split(x, config.headDim() / 2, 3);
        Tensor swapped = cat(new TensorVector(halves.get(1), halves.get(0)), 3);
        return x.mul(cosines.narrow(0, 0, length)).add(swapped.mul(sines.narrow(0, 0, length)));
    }

    /// Tables `[contextLength, 1, headDim]`; the sine's first half is negated, so that a rotation is
    /// `x * cos + swap(x) * sin`.
    private Tensor rotation(boolean cosine) {
        int half = config.headDim() / 2;
        float[] table = new float[config.contextLength() * config.headDim()];
        for (int position = 0; position < config.contextLength(); position++) {
            for (int i = 0; i < half; i++) {
                double angle = position * Math.pow(config.ropeTheta(), -2.0 * i / config.headDim());
                int at = position * config.headDim() + i;
                table[at] = (float) (cosine ? Math.cos(angle) : -Math.sin(angle));
                table[at + half] = (float) (cosine ? Math.cos(angle) : Math.sin(angle));
            }
        }
        return Tensor.create(table).reshape(config.contextLength(), 1, config.headDim());
    }

    /// What a forward pass yields.
    ///
    /// @param states `[rows * length, dim]`, after the last norm
    /// @param routers per-layer use of the experts, with the auxiliary losses
    record Output(Tensor states, RouterStatistics routers) {}
}
