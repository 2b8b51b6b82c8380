package dev.mixtral.cli;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.RopeLayout;
import dev.mixtral.format.TokenizerSource;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/// A checkpoint of random weights in memory, laid out and named as in a GGUF file: for measuring speed at full width.
final class RandomCheckpoint implements Checkpoint {
    private static final Path NO_FILE = Path.of("random");

    private final RandomSpec spec;
    private final boolean distinct;
    private final Map<Storage, MemorySegment> shared = new HashMap<>();
    private final Arena arena = Arena.ofShared();
    private final SplittableRandom random = new SplittableRandom(42);
    private final List<StoredTensor> stored = new ArrayList<>();
    private final Map<String, Tensor> tensors = new HashMap<>();

    /// Makes the weights. The caller closes the checkpoint.
    ///
    /// @param distinct whether each tensor has memory of its own; else tensors of one type and size share theirs,
    ///     for kernels that pack weights and so make a copy of each
    RandomCheckpoint(RandomSpec spec, boolean distinct) {
        this.spec = spec;
        this.distinct = distinct;
        MixtralConfig config = spec.config();
        add("token_embd.weight", "tok_embeddings", spec.type(), config.vocabSize(), config.dim());
        for (int l = 0; l < config.numLayers(); l++) {
            addLayer("blk." + l + ".", "layers." + l + ".", config);
        }
        addNorm("output_norm.weight", "norm");
        add("output.weight", "output", spec.outputType(), config.vocabSize(), config.dim());
    }

    private void addLayer(String file, String ours, MixtralConfig config) {
        DType type = spec.type();
        addNorm(file + "attn_norm.weight", ours + "attention_norm");
        add(file + "attn_q.weight", ours + "attention.wq", type, config.queryDim(), config.dim());
        add(file + "attn_k.weight", ours + "attention.wk", type, config.kvDim(), config.dim());
        add(file + "attn_v.weight", ours + "attention.wv", type, config.kvDim(), config.dim());
        add(file + "attn_output.weight", ours + "attention.wo", type, config.dim(), config.queryDim());
        addNorm(file + "ffn_norm.weight", ours + "ffn_norm");
        if (!config.isDense()) {
            add(file + "ffn_gate_inp.weight", ours + "feed_forward.gate", DType.F32, config.numExperts(), config.dim());
        }
        addExperts(file + "ffn_gate", ours, "w1", config.ffnDim(), config.dim());
        addExperts(file + "ffn_up", ours, "w3", config.ffnDim(), config.dim());
        addExperts(file + "ffn_down", ours, "w2", config.dim(), config.ffnDim());
    }

    private void addNorm(String file, String ours) {
        float[] ones = new float[spec.config().dim()];
        Arrays.fill(ones, 1);
        MemorySegment data = arena.allocate((long) ones.length * Float.BYTES, 64);
        MemorySegment.copy(MemorySegment.ofArray(ones), 0, data, 0, data.byteSize());
        store(new Tensor(file, DType.F32, new long[] {ones.length}, data), ours);
    }

    private void add(String file, String ours, DType type, long rows, long cols) {
        store(allocate(file, type, rows, cols), ours);
    }

    private void addExperts(String file, String ours, String matrix, int rows, int cols) {
        int numExperts = spec.config().numExperts();
        String prefix = ours + "feed_forward.experts.";
        if (spec.config().isDense()) {
            add(file + ".weight", prefix + "0." + matrix, spec.type(), rows, cols);
            return;
        }
        Tensor merged = allocate(file + "_exps.weight", spec.type(), numExperts, rows, cols);
        stored.add(new StoredTensor(NO_FILE, merged));
        for (int e = 0; e < numExperts; e++) {
            tensors.put(prefix + e + "." + matrix, merged.rows(e * rows, (e + 1) * rows));
        }
    }

    private Tensor allocate(String file, DType type, long... shape) {
        long numElements = 1;
        for (long n : shape) {
            numElements *= n;
        }
        Storage storage = new Storage(type, type.byteSize(numElements));
        MemorySegment data = distinct ? fill(storage) : shared.computeIfAbsent(storage, this::fill);
        return new Tensor(file, type, shape, data);
    }

    private MemorySegment fill(Storage storage) {
        MemorySegment data = arena.allocate(storage.bytes, 64);
        RandomBlocks.fill(storage.type, data, random);
        return data;
    }

    /// What makes the memory of two tensors alike.
    private record Storage(DType type, long bytes) {}

    private void store(Tensor tensor, String ours) {
        stored.add(new StoredTensor(NO_FILE, tensor));
        tensors.put(ours, tensor);
    }

    /// Returns how many layers the published model of this shape has.
    int publishedLayers() {
        return spec.publishedLayers();
    }

    @Override
    public String source() {
        return "random " + spec.config().numLayers() + "-layer " + spec.type();
    }

    @Override
    public MixtralConfig config() {
        return spec.config();
    }

    @Override
    public RopeLayout ropeLayout() {
        return RopeLayout.INTERLEAVED;
    }

    @Override
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("the architecture has no tensor " + name);
        }
        return tensor;
    }

    @Override
    public Optional<TokenizerSource> tokenizerSource() {
        return Optional.empty();
    }

    @Override
    public List<NamedTemplate> chatTemplates() {
        return List.of();
    }

    @Override
    public List<Integer> eosTokenIds() {
        return List.of();
    }

    @Override
    public List<StoredTensor> tensors() {
        return List.copyOf(stored);
    }

    @Override
    public Map<String, String> metadata() {
        return Map.of();
    }

    @Override
    public void close() {
        arena.close();
    }
}
