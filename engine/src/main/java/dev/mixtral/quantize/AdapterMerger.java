package dev.mixtral.quantize;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.format.io.AtomicFile;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.format.safetensors.SafetensorsWriter.Streamed;
import dev.mixtral.lora.LoraDelta;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/// Merges an adapter into a folder with safetensors: a folder with the same files, in which the matrices that the
/// adapter changes are others.
///
/// Whatever the model's size, memory holds the adapter and some rows. The folder is made aside and renamed.
public final class AdapterMerger {
    /// Elements that are merged at once.
    private static final int CHUNK_ELEMENTS = 1 << 20;

    /// A file beside the weights that is larger is none of configuration or tokenizer.
    private static final long MAX_COPIED_BYTES = 256L << 20;

    private final Checkpoint checkpoint;
    private final LoraDeltas adapter;
    private final ModelQuantizer.Progress progress;
    private final long totalBytes;
    private long doneBytes;

    private AdapterMerger(Checkpoint checkpoint, LoraDeltas adapter, ModelQuantizer.Progress progress) {
        this.checkpoint = checkpoint;
        this.adapter = adapter;
        this.progress = progress;
        this.totalBytes = checkpoint.tensors().stream()
                .mapToLong(stored -> stored.tensor().data().byteSize())
                .sum();
    }

    /// Rows of a stored tensor that are a matrix of the model's.
    ///
    /// @param from first row of the stored tensor
    private record Part(int from, LoraDelta delta) {}

    /// Makes the folder.
    ///
    /// @param checkpoint a folder with safetensors, open
    /// @param adapter fitted to it
    /// @param progress is told of every tensor
    /// @throws InvalidRequestException if the checkpoint is no such folder, or the output exists
    /// @throws UncheckedIOException if the folder cannot be written; then nothing of it is left
    public static void merge(Checkpoint checkpoint, LoraDeltas adapter, Path output, ModelQuantizer.Progress progress) {
        if (checkpoint.ggufMetadata().isPresent()) {
            throw new InvalidRequestException(
                    "output",
                    checkpoint.source() + " is a GGUF file, which is merged into a GGUF file. Name one: OUT.gguf.");
        }
        if (Files.exists(output)) {
            throw new InvalidRequestException("output", output + " exists. Name another folder.");
        }
        ModelQuantizer.refuseTiedOutput(checkpoint, adapter);
        new AdapterMerger(checkpoint, adapter, progress).write(output.toAbsolutePath());
    }

    private void write(Path output) {
        Path aside = output.resolveSibling("." + output.getFileName() + ".part");
        try {
            deleteFolder(aside); // of an interrupted run
            Files.createDirectories(aside);
            boolean complete = false;
            try {
                copyOthers(aside);
                for (Map.Entry<Path, List<Tensor>> file : tensorsByFile().entrySet()) {
                    writeFile(aside.resolve(file.getKey().getFileName()), file.getValue());
                }
                Files.move(aside, output, StandardCopyOption.ATOMIC_MOVE);
                complete = true;
            } finally {
                if (!complete) {
                    deleteFolder(aside);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + output + ": " + e.getMessage(), e);
        }
    }

    private Map<Path, List<Tensor>> tensorsByFile() {
        Map<Path, List<Tensor>> files = new LinkedHashMap<>();
        for (StoredTensor stored : checkpoint.tensors()) {
            files.computeIfAbsent(stored.file(), _ -> new ArrayList<>()).add(stored.tensor());
        }
        return files;
    }

    private void copyOthers(Path aside) throws IOException {
        Path folder = checkpoint.tensors().getFirst().file().toAbsolutePath().resolveSibling("");
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                if (Files.isRegularFile(file) && !isWeights(file) && Files.size(file) <= MAX_COPIED_BYTES) {
                    byte[] bytes = Files.readAllBytes(file);
                    AtomicFile.write(
                            aside.resolve(file.getFileName()),
                            channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(bytes)));
                }
            }
        }
    }

    private static boolean isWeights(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return Stream.of(".safetensors", ".gguf", ".bin", ".pt", ".pth").anyMatch(name::endsWith);
    }

    private void writeFile(Path file, List<Tensor> tensors) {
        List<Streamed> entries = new ArrayList<>();
        for (Tensor tensor : tensors) {
            List<Part> parts = partsOf(tensor);
            entries.add(new Streamed(tensor.name(), tensor.type(), tensor.shape(), channel -> {
                if (parts.isEmpty()) {
                    GgufWriter.Entry.writeAll(tensor.data(), channel);
                } else {
                    writeMerged(tensor, parts, channel);
                }
                doneBytes += tensor.data().byteSize();
                progress.advanced(tensor.name(), doneBytes, totalBytes);
            }));
        }
        SafetensorsWriter.writeStreamed(file, checkpoint.metadata(), entries);
    }

    /// Finds the matrices that a stored tensor holds and the adapter changes: one, or those of all experts. Both lie in
    /// the same mapped file.
    private List<Part> partsOf(Tensor stored) {
        List<Part> parts = new ArrayList<>();
        adapter.byWeight().forEach((weight, delta) -> {
            MemorySegment matrix = checkpoint.tensor(weight).data();
            long offset = matrix.address() - stored.data().address();
            if (offset >= 0 && offset < stored.data().byteSize()) {
                parts.add(new Part(Math.toIntExact(offset / stored.rowBytes()), delta));
            }
        });
        parts.sort(Comparator.comparingInt(Part::from));
        return parts;
    }

    private static void writeMerged(Tensor tensor, List<Part> parts, WritableByteChannel channel) throws IOException {
        int cols = tensor.cols();
        int rowsPerChunk = Math.max(1, CHUNK_ELEMENTS / cols);
        float[] row = new float[cols];
        int part = 0;
        for (int from = 0; from < tensor.rows(); from += rowsPerChunk) {
            int to = Math.min(tensor.rows(), from + rowsPerChunk);
            float[] values = new float[(to - from) * cols];
            for (int r = from; r < to; r++) {
                Dequantizer.dequantize(tensor.type(), tensor.data(), r * tensor.rowBytes(), row, 0, cols);
                while (part < parts.size()
                        && r >= parts.get(part).from() + parts.get(part).delta().out()) {
                    part++;
                }
                if (part < parts.size() && r >= parts.get(part).from()) {
                    parts.get(part).delta().apply(r - parts.get(part).from(), row);
                }
                System.arraycopy(row, 0, values, (r - from) * cols, cols);
            }
            SafetensorsWriter.writeValues(channel, tensor.type(), values);
        }
    }

    private static void deleteFolder(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }
}
