package dev.mixtral.train.finetune;

import static org.bytedeco.pytorch.global.torch.linear;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MatrixRows;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.train.finetune.DecodedMatrix.Source;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/// The weights of a checkpoint of any type, packed ones too, as f32 tensors: decoded once, or anew for each use.
///
/// A checkpoint in Mistral's or GGUF's layout has the rows of queries and keys reordered, so that heads are
/// half-split as in Hugging Face's files, and with them the adapter. Thread-safe once made. The checkpoint stays the
/// caller's and must outlive it.
final class FrozenWeights implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final MixtralConfig config;
    private final Map<String, Tensor> norms = new HashMap<>();
    private final Map<String, Tensor> decoded = new HashMap<>();
    private final ExecutorService executor;

    /// @param keep whether all matrices are decoded now and kept
    /// @param threads that decode
    FrozenWeights(Checkpoint checkpoint, boolean keep, int threads) {
        this.checkpoint = checkpoint;
        this.config = checkpoint.config();
        this.executor = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().name("decode-", 0).daemon().factory());
        for (int layer = 0; layer < config.numLayers(); layer++) {
            addNorm("model.layers." + layer + ".input_layernorm.weight", "layers." + layer + ".attention_norm");
            addNorm("model.layers." + layer + ".post_attention_layernorm.weight", "layers." + layer + ".ffn_norm");
        }
        addNorm("model.norm.weight", "norm");
        if (keep) {
            blocks(config).forEach(block -> decoded.put(block, decode(block)));
        }
    }

    private void addNorm(String name, String stored) {
        norms.put(name, Tensor.create(checkpoint.tensor(stored).toFloats()));
    }

    MixtralConfig config() {
        return config;
    }

    /// Returns the weight of an RMSNorm, by its Hugging Face name.
    Tensor norm(String name) {
        Tensor norm = norms.get(name);
        if (norm == null) {
            throw new IllegalArgumentException("no norm " + name);
        }
        return norm;
    }

    /// Returns the embeddings `[N, dim]` of token ids.
    Tensor embed(long[] ids) {
        dev.mixtral.tensor.Tensor stored = checkpoint.tensor("tok_embeddings");
        int dim = config.dim();
        float[] rows = new float[Math.multiplyExact(ids.length, dim)];
        for (int i = 0; i < ids.length; i++) {
            Dequantizer.dequantize(stored.type(), stored.data(), ids[i] * stored.rowBytes(), rows, i * dim, dim);
        }
        return Tensor.create(rows).reshape(ids.length, dim);
    }

    /// Returns `x W^T` for a block.
    Tensor multiply(Tensor x, String block) {
        return linear(x, matrix(block));
    }

    /// Returns the matrix of a block, in the caller's scope unless it is kept.
    Tensor matrix(String block) {
        Tensor kept = decoded.get(block);
        return kept != null ? kept : decode(block);
    }

    /// Returns how many weights are decoded per second, measured on one expert.
    double decodedPerSecond() {
        try (var _ = new PointerScope()) {
            long start = System.nanoTime();
            Tensor decoded = decode(gateUp(0, 0));
            return decoded.numel() * 1e9 / (System.nanoTime() - start);
        }
    }

    private Tensor decode(String block) {
        return DecodedMatrix.decode(sources(block), executor);
    }

    private List<Source> sources(String block) {
        if (block.endsWith(".qkv")) {
            String prefix = block.substring(0, block.length() - "qkv".length());
            return List.of(heads(prefix + "wq"), heads(prefix + "wk"), plain(prefix + "wv"));
        }
        if (block.endsWith(".gate_up")) {
            String prefix = block.substring(0, block.length() - "gate_up".length());
            return List.of(plain(prefix + "w1"), plain(prefix + "w3"));
        }
        return List.of(plain(block));
    }

    private Source plain(String name) {
        return Source.plain(MatrixRows.of(checkpoint, name));
    }

    private Source heads(String name) {
        return Source.heads(MatrixRows.of(checkpoint, name), checkpoint.ropeLayout(), config.headDim());
    }

    static String qkv(int layer) {
        return "layers." + layer + ".attention.qkv";
    }

    static String attentionOutput(int layer) {
        return "layers." + layer + ".attention.wo";
    }

    static String router(int layer) {
        return "layers." + layer + ".feed_forward.gate";
    }

    static String gateUp(int layer, int expert) {
        return "layers." + layer + ".feed_forward.experts." + expert + ".gate_up";
    }

    static String down(int layer, int expert) {
        return "layers." + layer + ".feed_forward.experts." + expert + ".w2";
    }

    private static List<String> blocks(MixtralConfig config) {
        List<String> blocks = new ArrayList<>();
        for (int layer = 0; layer < config.numLayers(); layer++) {
            blocks.add(qkv(layer));
            blocks.add(attentionOutput(layer));
            if (!config.isDense()) {
                blocks.add(router(layer));
            }
            for (int expert = 0; expert < config.numExperts(); expert++) {
                blocks.add(gateUp(layer, expert));
                blocks.add(down(layer, expert));
            }
        }
        blocks.add("output");
        return blocks;
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
