package dev.mixtral.lora;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.MixtralGguf;
import dev.mixtral.format.MixtralGguf.Part;
import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.format.gguf.GgufMetadata;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.lora.LoraTargets.Target;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Adapters in the format of llama.cpp: a GGUF file whose tensors are called after those of the model, with
/// `.lora_a` and `.lora_b` behind.
///
/// Experts are stacked, rows of queries and keys lie as in a GGUF model, and the scaling of a tensor is
/// `adapter.lora.alpha` through its rank.
public final class GgufLora {
    private static final String A = ".lora_a";
    private static final String B = ".lora_b";
    private static final String TYPE_KEY = "general.type";
    private static final String ADAPTER_TYPE_KEY = "adapter.type";
    private static final String ALPHA_KEY = "adapter.lora.alpha";
    private static final String BASE_KEY = "general.base_model.0.name";

    private GgufLora() {}

    /// Returns whether a GGUF file says that it is an adapter.
    ///
    /// @throws dev.mixtral.error.MixtralException if it is broken
    static boolean recognises(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            return GgufFile.open(file, arena)
                    .metadata()
                    .string(TYPE_KEY)
                    .orElse("")
                    .equals("adapter");
        }
    }

    /// Writes an adapter in 32-bit floats, whole or not at all.
    ///
    /// @param config the model that it fits
    /// @throws InvalidRequestException if it does not fit, or has magnitudes (DoRA), which the format does not know
    /// @throws java.io.UncheckedIOException if the file cannot be written
    public static void write(LoraAdapter adapter, MixtralConfig config, Path file) {
        if (adapter.modules().values().stream().anyMatch(weights -> weights.magnitude() != null)) {
            throw new InvalidRequestException(
                    "adapter",
                    "GGUF adapters have no magnitudes (DoRA). Merge the adapter into the model instead: mixtral"
                            + " merge.");
        }
        LoraDeltas.check(adapter, config);
        float alpha = adapter.config().scaling() * adapter.config().rank();
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.of("llama"));
        metadata.put(TYPE_KEY, GgufValue.of("adapter"));
        metadata.put(ADAPTER_TYPE_KEY, GgufValue.of("lora"));
        metadata.put(ALPHA_KEY, GgufValue.of(alpha));
        if (!adapter.config().baseModel().isEmpty()) {
            metadata.put(BASE_KEY, GgufValue.of(adapter.config().baseModel()));
        }
        LoraTargets targets = new LoraTargets(config);
        List<GgufWriter.Entry> entries = new ArrayList<>();
        for (Part part : MixtralGguf.parts(config, false)) {
            List<@Nullable Target> matrices = part.weights().stream()
                    .<@Nullable Target>map(targets::ofWeight)
                    .toList();
            addTensors(entries, part, matrices, adapter);
        }
        GgufWriter.write(file, metadata, entries);
    }

    /// Adds the two tensors of a matrix, or of that of all experts, if the adapter changes one.
    private static void addTensors(
            List<GgufWriter.Entry> entries, Part part, List<@Nullable Target> matrices, LoraAdapter adapter) {
        List<@Nullable LoraWeights> weights = new ArrayList<>();
        for (Target target : matrices) {
            weights.add(target == null ? null : adapter.modules().get(target.module()));
        }
        int rank = 0;
        for (LoraWeights matrix : weights) {
            rank = Math.max(rank, matrix == null ? 0 : matrix.rank());
        }
        if (rank == 0) {
            return;
        }
        int in = Math.toIntExact(part.shape()[part.shape().length - 1]);
        int out = Math.toIntExact(part.shape()[part.shape().length - 2]);
        float[] a = new float[Math.multiplyExact(weights.size() * rank, in)];
        float[] b = new float[Math.multiplyExact(weights.size() * rank, out)];
        // The format's scaling of the tensor, in terms of that of the adapter.
        float factor = (float) rank / adapter.config().rank();
        for (int e = 0; e < weights.size(); e++) {
            LoraWeights matrix = weights.get(e);
            Target target = matrices.get(e);
            if (matrix != null && target != null) {
                System.arraycopy(matrix.a(), 0, a, e * rank * in, matrix.a().length);
                for (int row = 0; row < out; row++) {
                    int from = target.headDim() == 0 ? row : LoraTargets.halfSplitRow(row, target.headDim());
                    for (int k = 0; k < matrix.rank(); k++) {
                        b[(e * out + row) * rank + k] = factor * matrix.b()[from * matrix.rank() + k];
                    }
                }
            }
        }
        boolean stacked = part.shape().length == 3;
        long[] shapeOfA = stacked ? new long[] {weights.size(), rank, in} : new long[] {rank, in};
        long[] shapeOfB = stacked ? new long[] {weights.size(), out, rank} : new long[] {out, rank};
        entries.add(GgufWriter.Entry.of(part.name() + A, shapeOfA, a));
        entries.add(GgufWriter.Entry.of(part.name() + B, shapeOfB, b));
    }

    /// Reads an adapter.
    ///
    /// @param config the model that it is for
    /// @throws InvalidRequestException if it has tensors that the model does not have, or of other shapes
    /// @throws ModelFormatException if the file is broken
    /// @throws UnsupportedModelException if it is of another kind than LoRA
    public static LoraAdapter read(Path file, MixtralConfig config) {
        try (Arena arena = Arena.ofConfined()) {
            GgufFile gguf = GgufFile.open(file, arena);
            GgufMetadata metadata = gguf.metadata();
            require(metadata, TYPE_KEY, "adapter");
            require(metadata, ADAPTER_TYPE_KEY, "lora");
            require(metadata, "general.architecture", "llama");
            float alpha = (float) metadata.number(ALPHA_KEY)
                    .orElseThrow(() -> new ModelFormatException(file, "`" + ALPHA_KEY + "` is missing"));
            if (!Float.isFinite(alpha)) {
                throw new ModelFormatException(file, "`" + ALPHA_KEY + "`: a finite number expected, got " + alpha);
            }
            return new Reader(file, gguf.tensors(), alpha)
                    .read(config, metadata.string(BASE_KEY).orElse(""));
        }
    }

    private static void require(GgufMetadata metadata, String key, String expected) {
        String got = metadata.string(key).orElse("nothing");
        if (!got.equals(expected)) {
            throw new UnsupportedModelException(metadata.file() + ": `" + key + "`: " + expected + " expected, got "
                    + got + ", so this is no LoRA adapter of a Mixtral. Name a GGUF adapter or a PEFT folder.");
        }
    }

    /// Collects the modules of one file.
    private static final class Reader {
        private final Path file;
        private final float alpha;
        private final Map<String, Tensor> tensors = new LinkedHashMap<>();
        private final Map<String, LoraWeights> modules = new LinkedHashMap<>();
        private int firstRank;

        Reader(Path file, List<Tensor> tensors, float alpha) {
            this.file = file;
            this.alpha = alpha;
            tensors.forEach(tensor -> this.tensors.put(tensor.name(), tensor));
        }

        LoraAdapter read(MixtralConfig config, String baseModel) {
            LoraTargets targets = new LoraTargets(config);
            for (Part part : MixtralGguf.parts(config, false)) {
                Tensor a = tensors.remove(part.name() + A);
                Tensor b = tensors.remove(part.name() + B);
                if (a != null && b != null) {
                    addModules(part, targets, a, b);
                } else if (a != null || b != null) {
                    throw new ModelFormatException(file, part.name() + " needs both lora_a and lora_b");
                }
            }
            if (!tensors.isEmpty()) {
                throw new InvalidRequestException(
                        "adapter",
                        file + " is no adapter of this model, which has no place for "
                                + String.join(
                                        ", ", tensors.keySet().stream().limit(5).toList())
                                + ". Name an adapter that was trained on this model.");
            }
            if (modules.isEmpty()) {
                throw new ModelFormatException(file, "holds no tensors, so it is no adapter");
            }
            // llama.cpp takes an alpha of 0 for none.
            float effective = alpha == 0 ? firstRank : alpha;
            List<String> targetModules = PeftConfig.lastWords(modules.keySet());
            return new LoraAdapter(
                    new LoraConfig(firstRank, effective, 0, false, false, targetModules, baseModel), modules);
        }

        private void addModules(Part part, LoraTargets targets, Tensor a, Tensor b) {
            int numMatrices = part.weights().size();
            long in = part.shape()[part.shape().length - 1];
            long out = part.shape()[part.shape().length - 2];
            // Dimensions of 1 may be left out, so elements are counted instead.
            long rank = a.numElements() / numMatrices / in;
            if (rank < 1
                    || a.numElements() != numMatrices * rank * in
                    || b.numElements() != numMatrices * rank * out
                    || a.cols() != in
                    || b.cols() != rank) {
                throw new InvalidRequestException(
                        "adapter",
                        file + ": " + part.name() + ": A of [" + (numMatrices > 1 ? numMatrices + ", " : "") + "rank, "
                                + in + "] and B of [" + (numMatrices > 1 ? numMatrices + ", " : "") + out
                                + ", rank] expected for this model, got " + Arrays.toString(a.shape()) + " and "
                                + Arrays.toString(b.shape()) + ". Name an adapter that was trained on this model.");
            }
            if (firstRank == 0) {
                firstRank = (int) rank;
            }
            float[] allOfA = Values.of(file, a);
            float[] allOfB = Values.of(file, b);
            for (int e = 0; e < numMatrices; e++) {
                Target target =
                        Objects.requireNonNull(targets.ofWeight(part.weights().get(e)));
                modules.put(target.module(), weights(target, allOfA, allOfB, e, (int) rank));
            }
        }

        private LoraWeights weights(Target target, float[] allOfA, float[] allOfB, int e, int rank) {
            int size = rank * target.in();
            float[] a = Arrays.copyOfRange(allOfA, e * size, (e + 1) * size);
            float[] b = new float[target.out() * rank];
            // Without alpha the scaling is 1 for every rank, else it falls with the rank.
            float factor = alpha == 0 ? 1 : (float) firstRank / rank;
            for (int row = 0; row < target.out(); row++) {
                int to = target.headDim() == 0 ? row : LoraTargets.halfSplitRow(row, target.headDim());
                for (int k = 0; k < rank; k++) {
                    b[to * rank + k] = factor * allOfB[(e * target.out() + row) * rank + k];
                }
            }
            return new LoraWeights(rank, target.in(), target.out(), a, b, null);
        }
    }
}
