package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.rms_norm;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;
import static org.bytedeco.pytorch.global.torch.split;

import dev.mixtral.format.MixtralConfig;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/// Mixtral's forward pass on PyTorch tensors, differentiable: the second, independent implementation of the model.
///
/// Pre-norm transformer blocks: RMSNorm (arXiv 1910.07467), rotary embedding over half-split heads (2104.09864),
/// grouped-query causal attention (2305.13245), and a sparse mixture of SwiGLU experts ([TorchMoe]). All in f32.
/// Tensors made during a call live until the caller's [PointerScope] closes. Confined to one thread at a time.
public final class TorchMixtral {
    private final ModelWeights weights;
    private final MixtralConfig config;
    private final Tensor cosines;
    private final Tensor sines;

    /// Makes a model over weights, which it does not own.
    public TorchMixtral(ModelWeights weights) {
        this.weights = weights;
        this.config = weights.config();
        this.cosines = rotation(true);
        this.sines = rotation(false);
    }

    private TorchMixtral(TorchMixtral other) {
        this.weights = other.weights.replica();
        this.config = other.config;
        this.cosines = other.cosines;
        this.sines = other.sines;
    }

    /// Returns a model over the same weights with gradients of its own, for another thread.
    public TorchMixtral replica() {
        return new TorchMixtral(this);
    }

    /// Returns what the model multiplies with.
    public ModelWeights weights() {
        return weights;
    }

    /// Returns the architecture.
    public MixtralConfig config() {
        return config;
    }

    /// Runs all blocks over `rows` sequences of equal length, each starting at position 0.
    ///
    /// @param ids `rows * length` token ids, sequence after sequence
    /// @return the normalised final states, and what the routers did
    public Output forward(long[] ids, int rows, int length) {
        return forward(ids, new Layout(rows, length, null));
    }

    /// Runs all blocks over the inputs of a batch.
    ///
    /// @return the normalised final states, and what the routers did
    public Output forward(Batch batch) {
        return forward(batch.inputs(), Layout.of(batch));
    }

    private Output forward(long[] ids, Layout layout) {
        check(ids, layout);
        Tensor x = weights.embed(ids);
        RouterStatistics statistics = new RouterStatistics(config);
        for (int layer = 0; layer < config.numLayers(); layer++) {
            x = attend(x, layer, layout);
            x = x.add(TorchMoe.forward(weights, layer, feedForwardInput(x, layer), statistics));
        }
        return new Output(finalNorm(x), statistics);
    }

    /// Holds the number of ids to a layout, and its length to the context.
    void check(long[] ids, Layout layout) {
        if (layout.length() > config.contextLength() || ids.length != layout.rows() * layout.length()) {
            throw new IllegalArgumentException("%d ids as %d sequences of %d, context %d"
                    .formatted(ids.length, layout.rows(), layout.length(), config.contextLength()));
        }
    }

    /// Returns `x + attention(norm(x))` of a layer.
    Tensor attend(Tensor x, int layer, Layout layout) {
        return x.add(attention(norm(x, "model.layers." + layer + ".input_layernorm.weight"), layer, layout));
    }

    /// Returns what the router and the experts of a layer see.
    Tensor feedForwardInput(Tensor x, int layer) {
        return norm(x, "model.layers." + layer + ".post_attention_layernorm.weight");
    }

    /// Returns the states that logits are made from.
    Tensor finalNorm(Tensor x) {
        return norm(x, "model.norm.weight");
    }

    /// Returns the logits `[N, vocabSize]` of final states `[N, dim]`.
    public Tensor logits(Tensor states) {
        return weights.logits(states);
    }

    private Tensor norm(Tensor x, String weight) {
        return rms_norm(
                x,
                new long[] {config.dim()},
                new TensorOptional(weights.norm(weight)),
                new DoubleOptional(config.normEps()));
    }

    private Tensor attention(Tensor x, int layer, Layout layout) {
        int rows = layout.rows();
        int length = layout.length();
        int heads = config.numHeads();
        int kvHeads = config.numKvHeads();
        Tensor qkv = weights.qkv(x, layer).reshape(rows, length, heads + 2L * kvHeads, config.headDim());
        Tensor rotated = rotate(qkv.narrow(2, 0, heads + kvHeads), length).transpose(1, 2);
        Tensor q = rotated.narrow(1, 0, heads);
        Tensor k = shareHeads(rotated.narrow(1, heads, kvHeads), rows, length);
        Tensor v = shareHeads(qkv.narrow(2, heads + kvHeads, kvHeads).transpose(1, 2), rows, length);
        Tensor mask = layout.mask();
        Tensor mixed = scaled_dot_product_attention(
                q,
                k,
                v,
                mask == null ? new TensorOptional() : new TensorOptional(mask),
                0.0,
                mask == null,
                new DoubleOptional(),
                false);
        Tensor joined = mixed.transpose(1, 2).reshape((long) rows * length, config.queryDim());
        return weights.attentionOutput(joined, layer);
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

    /// How the positions of a pass lie.
    ///
    /// @param rows sequences
    /// @param length positions of each
    /// @param mask `[rows, 1, length, length]`, added to attention scores; `null` for plain causal attention
    record Layout(int rows, int length, @Nullable Tensor mask) {
        static Layout of(Batch batch) {
            return new Layout(batch.rows(), batch.length(), AttentionMask.of(batch));
        }
    }

    /// What a forward pass yields.
    ///
    /// @param states `[rows * length, dim]`, after the last norm
    /// @param routers per-layer use of the experts, with the auxiliary losses
    public record Output(Tensor states, RouterStatistics routers) {}
}
