package dev.mixtral.quantize;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.PackedWeights;
import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.format.gguf.GgufLayout;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kernel.scalar.ScalarKernels;
import dev.mixtral.model.WeightPacker;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.LittleEndian;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Writes a checkpoint as a packed file ([PackedWeights]), from which a model starts without packing its weights.
///
/// Memory holds one matrix at a time, or one expert. The file is written aside and renamed.
public final class ModelPacker {
    /// A page: so that matrices can be mapped or read without the page cache.
    private static final int ALIGNMENT = 4096;

    private final Checkpoint checkpoint;
    private final ThreadTeam team;
    private final ModelQuantizer.Progress progress;
    private final List<GgufWriter.Entry> entries = new ArrayList<>();
    private final List<String> matrices = new ArrayList<>();
    private final List<Integer> checksums = new ArrayList<>();
    private long totalBytes;
    private long doneBytes;

    private ModelPacker(Checkpoint checkpoint, ThreadTeam team, ModelQuantizer.Progress progress) {
        this.checkpoint = checkpoint;
        this.team = team;
        this.progress = progress;
    }

    /// Writes the file.
    ///
    /// @param replace whether a file that exists is replaced
    /// @param team packs in parallel
    /// @param progress is told of every matrix
    /// @throws InvalidRequestException if the checkpoint is packed already or has no quantised matrices, or if the
    ///     file exists or is the checkpoint's own
    /// @throws java.io.UncheckedIOException if the file cannot be written
    public static void pack(
            Checkpoint checkpoint, Path file, boolean replace, ThreadTeam team, ModelQuantizer.Progress progress) {
        ModelQuantizer.checkOutput(checkpoint, file, replace, "packed");
        if (checkpoint.packedWeights().isPresent()) {
            throw new InvalidRequestException("model", checkpoint.source() + " is packed already.");
        }
        new ModelPacker(checkpoint, team, progress).write(file);
    }

    private void write(Path file) {
        MixtralConfig config = checkpoint.config();
        plain("tok_embeddings");
        for (int l = 0; l < config.numLayers(); l++) {
            layer(config, "layers." + l + ".");
        }
        norm("norm");
        if (!checkpoint.isTied()) {
            linear("output");
        }
        if (matrices.isEmpty()) {
            throw new InvalidRequestException(
                    "model",
                    checkpoint.source() + " has no quantised matrices, and plain numbers are not packed. Quantise it"
                            + " first: mixtral quantize.");
        }
        entries.add(new GgufWriter.Entry(
                GgufLayout.Declaration.blob(PackedWeights.CHECKSUMS, 4L * matrices.size()), this::writeChecksums));
        totalBytes = entries.stream()
                .mapToLong(entry -> entry.declaration().byteSize())
                .sum();
        GgufWriter.write(file, metadata(), entries);
    }

    private Map<String, GgufValue> metadata() {
        Map<String, GgufValue> metadata = QuantizePlan.metadata(checkpoint);
        metadata.keySet().removeIf(key -> key.startsWith("split."));
        metadata.put(GgufFile.ALIGNMENT_KEY, GgufValue.of(ALIGNMENT));
        metadata.put(GgufFile.PACK_VERSION_KEY, GgufValue.of(PackedWeights.VERSION));
        metadata.put(
                PackedWeights.ROPE_KEY, GgufValue.of(checkpoint.ropeLayout().name()));
        metadata.put(
                PackedWeights.MATRICES_KEY,
                GgufValue.of(matrices.stream()
                        .map(line -> line.getBytes(StandardCharsets.UTF_8))
                        .toList()));
        return metadata;
    }

    private void layer(MixtralConfig config, String prefix) {
        norm(prefix + "attention_norm");
        for (String name : List.of("wq", "wk", "wv", "wo")) {
            linear(prefix + "attention." + name);
        }
        norm(prefix + "ffn_norm");
        if (!config.isDense()) {
            plain(prefix + "feed_forward.gate");
        }
        for (int e = 0; e < config.numExperts(); e++) {
            expert(prefix + "feed_forward.experts." + e + ".");
        }
    }

    private void norm(String name) {
        float[] values = checkpoint.tensor(name).toFloats();
        entries.add(GgufWriter.Entry.of(name, new long[] {values.length}, values));
    }

    private void plain(String name) {
        Tensor tensor = checkpoint.tensor(name);
        entries.add(GgufWriter.Entry.of(name, tensor.type(), tensor.shape(), tensor.data()));
    }

    private void linear(String name) {
        Tensor tensor = checkpoint.tensor(name);
        if (WeightPacker.packs(tensor)) {
            packed(name, WeightPacker.typeOf(tensor), tensor.rows(), tensor.cols(), packer -> packer.matrix(name));
        } else {
            plain(name);
        }
    }

    private void expert(String prefix) {
        if (!WeightPacker.packsExpert(checkpoint, prefix)) {
            List.of("w1", "w2", "w3").forEach(name -> plain(prefix + name));
            return;
        }
        Tensor gate = checkpoint.tensor(prefix + "w1");
        packed(
                prefix + "gate_up",
                WeightPacker.typeOf(gate),
                2 * gate.rows(),
                gate.cols(),
                packer -> packer.gateUp(prefix));
        linear(prefix + "w2");
    }

    private void packed(
            String name, PackedType type, int rows, int cols, Function<WeightPacker, PackedMatrix> packing) {
        matrices.add(name + " " + type + " " + rows + " " + cols);
        long bytes = PackedMatrix.byteSize(type, rows, cols);
        entries.add(new GgufWriter.Entry(GgufLayout.Declaration.blob(name, bytes), channel -> {
            try (Arena arena = Arena.ofShared()) {
                Kernels kernels = new ScalarKernels(); // says where weights go, and nothing is computed with these
                write(packing.apply(new WeightPacker(checkpoint, kernels, team, arena)), channel);
            }
        }));
    }

    private void write(PackedMatrix matrix, WritableByteChannel channel) throws IOException {
        checksums.add(PackedWeights.checksum(matrix.data()));
        GgufWriter.Entry.writeAll(matrix.data(), channel);
        doneBytes += matrix.data().byteSize();
        progress.advanced(matrix.name(), doneBytes, totalBytes);
    }

    private void writeChecksums(WritableByteChannel channel) throws IOException {
        MemorySegment bytes = MemorySegment.ofArray(new byte[DType.F32.blockBytes() * checksums.size()]);
        for (int i = 0; i < checksums.size(); i++) {
            bytes.set(LittleEndian.INT, 4L * i, checksums.get(i));
        }
        GgufWriter.Entry.writeAll(bytes, channel);
    }
}
