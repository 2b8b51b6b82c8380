package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.randn;
import static org.bytedeco.pytorch.global.torch.zeros;

import dev.mixtral.format.MixtralConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// All weights of a model, all of them trained. Matrices come first, norms last, so that weight decay is
/// one slice.
///
/// Matrices that are applied to the same input lie side by side and are multiplied as one block:
///
/// ```
/// qkv      [(numHeads + 2 numKvHeads) headDim, dim]   = wq | wk | wv
/// gateUp   [2 ffnDim, dim]                            = w1 | w3
/// ```
///
/// The published names are views into the same buffer, hence need no second copy. Owned by the trainer; a replica of
/// another worker shares the values and has its own gradients.
public final class Parameters implements ModelWeights, FlatParameters {
    private static final double STANDARD_DEVIATION = 0.02;

    private final MixtralConfig config;
    private final Tensor values;
    private final Tensor gradients;
    private final Map<String, Tensor> blocks = new LinkedHashMap<>();
    private final Map<String, Tensor> published = new LinkedHashMap<>();
    private final long numMatrixWeights;

    /// Makes random weights: normal with deviation 0.02, the matrices that write to the residual stream scaled down
    /// by `sqrt(2 numLayers)` (GPT-2's rule), norms 1.
    public Parameters(MixtralConfig config, long seed) {
        this(config, zeros(config.numParameters()));
        initialize(seed);
    }

    private Parameters(MixtralConfig config, Tensor values) {
        this.config = config;
        this.values = values;
        this.gradients = zeros(config.numParameters());
        long offset = 0;
        for (Block block : layout(config)) {
            offset = bind(block, offset);
        }
        this.numMatrixWeights = offset;
        for (String norm : norms(config)) {
            offset = bind(new Block(norm, 1, config.dim(), List.of(new Part(norm, config.dim()))), offset);
        }
        if (offset != config.numParameters()) {
            throw new IllegalStateException("layout has " + offset + " weights, not " + config.numParameters());
        }
    }

    @Override
    public Parameters replica() {
        return new Parameters(config, values);
    }

    @Override
    public MixtralConfig config() {
        return config;
    }

    @Override
    public FlatParameters trainable() {
        return this;
    }

    @Override
    public Tensor embed(long[] ids) {
        return embedding(block("model.embed_tokens.weight"), Tensor.create(ids));
    }

    @Override
    public Tensor norm(String name) {
        return block(name);
    }

    @Override
    public Tensor qkv(Tensor x, int layer) {
        return linear(x, block(qkvName(layer)));
    }

    @Override
    public Tensor attentionOutput(Tensor x, int layer) {
        return linear(x, block("model.layers." + layer + ".self_attn.o_proj.weight"));
    }

    @Override
    public Tensor router(Tensor x, int layer) {
        return linear(x, block(routerName(layer)));
    }

    @Override
    public Tensor gateUp(Tensor x, int layer, int expert) {
        return linear(x, block(expertPrefix(layer, expert) + "gateUp"));
    }

    @Override
    public Tensor down(Tensor x, int layer, int expert) {
        return linear(x, block(expertPrefix(layer, expert) + "w2.weight"));
    }

    @Override
    public Tensor logits(Tensor states) {
        return linear(states, block("lm_head.weight"));
    }

    /// Returns a block as a leaf of the autograd graph.
    Tensor block(String name) {
        Tensor tensor = blocks.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no parameter block " + name);
        }
        return tensor;
    }

    /// Returns all weights under their Hugging Face names, as views.
    public Map<String, Tensor> published() {
        return published;
    }

    @Override
    public Tensor values() {
        return values;
    }

    @Override
    public Tensor gradients() {
        return gradients;
    }

    @Override
    public long numMatrixWeights() {
        return numMatrixWeights;
    }

    /// Copies a weight out of the model.
    public static float[] toArray(Tensor tensor) {
        try (var _ = new PointerScope()) {
            float[] array = new float[Math.toIntExact(tensor.numel())];
            new FloatPointer(tensor.detach().contiguous().data_ptr()).get(array);
            return array;
        }
    }

    private long bind(Block block, long offset) {
        long size = block.rows() * block.columns();
        long[] shape = block.rows() == 1 ? new long[] {size} : new long[] {block.rows(), block.columns()};
        blocks.put(block.name(), FlatParameters.leaf(values, gradients, offset, shape));
        long at = offset;
        for (Part part : block.parts()) {
            Tensor view = values.narrow(0, at, part.size()).detach();
            published.put(part.name(), block.rows() == 1 ? view : view.reshape(-1, block.columns()));
            at += part.size();
        }
        return offset + size;
    }

    private void initialize(long seed) {
        try (var _ = new PointerScope()) {
            torch.manual_seed(seed);
            values.copy_(randn(config.numParameters()).mul(new Scalar(STANDARD_DEVIATION)));
            double residual = 1 / Math.sqrt(2.0 * config.numLayers());
            double width = Math.sqrt(512.0 / config.dim());
            blocks.forEach((name, block) -> {
                Tensor data = block.detach();
                if (name.endsWith("norm.weight")) {
                    data.fill_(new Scalar(1.0));
                } else if (name.endsWith("o_proj.weight") || name.endsWith("w2.weight")) {
                    data.mul_(new Scalar(width * residual));
                } else if (!name.equals("model.embed_tokens.weight")) {
                    data.mul_(new Scalar(width));
                }
            });
        }
    }

    private static List<Block> layout(MixtralConfig config) {
        List<Block> layout = new ArrayList<>();
        int dim = config.dim();
        layout.add(Block.single("model.embed_tokens.weight", config.vocabSize(), dim));
        layout.add(Block.single("lm_head.weight", config.vocabSize(), dim));
        for (int layer = 0; layer < config.numLayers(); layer++) {
            String attention = "model.layers." + layer + ".self_attn.";
            long queries = (long) config.queryDim() * dim;
            long keys = (long) config.kvDim() * dim;
            layout.add(new Block(
                    qkvName(layer),
                    config.queryDim() + 2L * config.kvDim(),
                    dim,
                    List.of(
                            new Part(attention + "q_proj.weight", queries),
                            new Part(attention + "k_proj.weight", keys),
                            new Part(attention + "v_proj.weight", keys))));
            layout.add(Block.single(attention + "o_proj.weight", dim, config.queryDim()));
            layout.add(Block.single(routerName(layer), config.numExperts(), dim));
            for (int expert = 0; expert < config.numExperts(); expert++) {
                String prefix = expertPrefix(layer, expert);
                long inner = (long) config.ffnDim() * dim;
                layout.add(new Block(
                        prefix + "gateUp",
                        2L * config.ffnDim(),
                        dim,
                        List.of(new Part(prefix + "w1.weight", inner), new Part(prefix + "w3.weight", inner))));
                layout.add(Block.single(prefix + "w2.weight", dim, config.ffnDim()));
            }
        }
        return layout;
    }

    private static List<String> norms(MixtralConfig config) {
        List<String> names = new ArrayList<>();
        for (int layer = 0; layer < config.numLayers(); layer++) {
            names.add("model.layers." + layer + ".input_layernorm.weight");
            names.add("model.layers." + layer + ".post_attention_layernorm.weight");
        }
        names.add("model.norm.weight");
        return names;
    }

    static String qkvName(int layer) {
        return "model.layers." + layer + ".self_attn.qkv";
    }

    static String routerName(int layer) {
        return "model.layers." + layer + ".block_sparse_moe.gate.weight";
    }

    static String expertPrefix(int layer, int expert) {
        return "model.layers." + layer + ".block_sparse_moe.experts." + expert + ".";
    }

    private record Part(String name, long size) {}

    private record Block(String name, long rows, long columns, List<Part> parts) {
        static Block single(String name, long rows, long columns) {
            return new Block(name, rows, columns, List.of(new Part(name, rows * columns)));
        }
    }
}
