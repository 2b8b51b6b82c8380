package dev.mixtral.quantize;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.MixtralException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.quantize.MatrixEncoder.Loss;
import dev.mixtral.quantize.QuantizePlan.PlannedTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Turns a checkpoint into a GGUF file of other types, and merges an adapter into it on the way if there is one.
///
/// Memory holds one matrix at a time (of stacked experts, one expert's), whatever the model's size. The file is
/// written aside, forced to the disk and renamed; an interrupted run leaves what it has done beside it, and can be
/// continued to the same bytes. A GGUF source keeps its metadata.
public final class ModelQuantizer {
    private final Checkpoint checkpoint;
    private final QuantizeOptions options;
    private final Progress progress;
    private final QuantizePlan plan;

    /// Is told how far the work is, after every matrix, on the thread that called [#run].
    @FunctionalInterface
    public interface Progress {
        /// Takes the state.
        ///
        /// @param tensor the tensor that was just written
        /// @param doneBytes of the file
        /// @param totalBytes of the file
        void advanced(String tensor, long doneBytes, long totalBytes);
    }

    /// Plans the file.
    ///
    /// @param checkpoint the source, open until [#run] has returned
    /// @throws MixtralException if the source cannot be expressed as GGUF
    public ModelQuantizer(Checkpoint checkpoint, QuantizeOptions options, Progress progress) {
        if (checkpoint.packedWeights().isPresent()) {
            throw new InvalidRequestException(
                    "model", checkpoint.source() + " is packed. Use the model that it was made from.");
        }
        this.checkpoint = checkpoint;
        this.options = options;
        this.progress = progress;
        refuseTiedOutput(checkpoint, options.adapter());
        this.plan = QuantizePlan.of(checkpoint, options.preset(), options.importance());
    }

    /// The output matrix of a tied model is its embedding too, which an adapter leaves as it is.
    static void refuseTiedOutput(Checkpoint checkpoint, @Nullable LoraDeltas adapter) {
        if (adapter != null && adapter.of("output") != null && checkpoint.isTied()) {
            throw new InvalidRequestException(
                    "adapter",
                    "The adapter changes lm_head, which is the embedding of " + checkpoint.source()
                            + " too, so it cannot be merged. Apply it at run time.");
        }
    }

    /// Returns whether weights of the source are quantised already, so that their errors will add up.
    public boolean isQuantizedTwice() {
        return plan.tensors().stream()
                .anyMatch(tensor -> tensor.sources().stream()
                        .anyMatch(matrix -> !matrix.type().isPlain()
                                && matrix.type() != tensor.choice().type()));
    }

    /// Makes the file.
    ///
    /// @return what became of each tensor, in file order
    /// @throws InvalidRequestException if the output exists, is the source, or cannot be continued; or if elements
    ///     are too large for the type
    /// @throws MixtralException if the source holds infinities or NaNs
    /// @throws UncheckedIOException if the file cannot be written; what is done stays, for another run to resume
    public List<QuantizedTensor> run() {
        checkOutput(checkpoint, options);
        ExecutorService threads = Executors.newFixedThreadPool(options.numThreads());
        try (PartialFile file = PartialFile.open(options.output(), identity(), options.resume())) {
            return write(file, new MatrixEncoder(checkpoint.source(), threads, options.adapter()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + options.output() + ": " + e.getMessage(), e);
        } finally {
            threads.shutdownNow();
        }
    }

    private List<QuantizedTensor> write(PartialFile file, MatrixEncoder encoder) throws IOException {
        try {
            return writeAll(file, encoder);
        } catch (MixtralException e) {
            // Another run on the same source would fail in the same way.
            file.discard();
            throw e;
        } catch (IOException e) {
            // Of a full disk, for instance: with more room there is no need to begin again.
            throw new UncheckedIOException(
                    "cannot write " + options.output() + "; what is done lies in "
                            + PartialFile.partial(options.output()) + ", from which --resume goes on: "
                            + e.getMessage(),
                    e);
        }
    }

    private List<QuantizedTensor> writeAll(PartialFile file, MatrixEncoder encoder) throws IOException {
        List<Loss> resumed = List.copyOf(file.finished());
        checkResumed(file, resumed.size());
        file.write(0, MemorySegment.ofArray(plan.layout().header()));
        List<QuantizedTensor> results = new ArrayList<>();
        int unit = 0;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(plan.tensors().stream()
                    .mapToLong(PlannedTensor::unitBytes)
                    .max()
                    .orElse(0));
            for (PlannedTensor tensor : plan.tensors()) {
                Loss loss = Loss.NONE;
                for (int i = 0; i < tensor.sources().size(); i++, unit++) {
                    Loss ofUnit = unit < resumed.size() ? resumed.get(unit) : write(file, encoder, tensor, i, buffer);
                    loss = loss.plus(ofUnit);
                }
                results.add(result(tensor, loss));
            }
        }
        file.complete(plan.layout().fileBytes());
        return results;
    }

    private Loss write(PartialFile file, MatrixEncoder encoder, PlannedTensor tensor, int index, MemorySegment buffer)
            throws IOException {
        MemorySegment bytes = buffer.asSlice(0, tensor.unitBytes());
        Loss loss = encoder.encode(tensor, index, importance(tensor, index), bytes);
        long offset = tensor.offset() + index * tensor.unitBytes();
        file.write(offset, bytes);
        file.finishUnit(loss);
        progress.advanced(
                tensor.part().name(), offset + tensor.unitBytes(), plan.layout().fileBytes());
        return loss;
    }

    private float @Nullable [] importance(PlannedTensor tensor, int index) {
        if (options.importance() == null || tensor.choice().type().isPlain()) {
            return null;
        }
        return options.importance()
                .of(
                        tensor.part().name(),
                        index,
                        tensor.sources().size(),
                        tensor.sources().getFirst().cols())
                .orElse(null);
    }

    private static QuantizedTensor result(PlannedTensor tensor, Loss loss) {
        return new QuantizedTensor(
                tensor.part().name(),
                tensor.part().shape(),
                tensor.sources().getFirst().type(),
                tensor.choice().type(),
                tensor.choice().wanted(),
                tensor.unitBytes() * tensor.sources().size(),
                loss.relative());
    }

    /// Refuses an output that may not be written. [#run] does so too; a caller with long preparations asks before.
    ///
    /// @throws InvalidRequestException if the output exists, is the source, or was begun by an interrupted run, and
    ///     the options do not say what to do about it
    public static void checkOutput(Checkpoint checkpoint, QuantizeOptions options) {
        Path output = options.output();
        checkOutput(checkpoint, output, options.replace(), "quantised");
        if (Files.exists(PartialFile.partial(output)) && !options.resume() && !options.replace()) {
            throw refused("An interrupted run has left " + PartialFile.partial(output)
                    + ". Continue it with --resume, or begin again with --force.");
        }
    }

    /// Refuses an output of any kind that may not be written.
    ///
    /// @param done what is to be done to the model, for messages
    static void checkOutput(Checkpoint checkpoint, Path output, boolean replace, String done) {
        try {
            for (StoredTensor stored : checkpoint.tensors()) {
                if (Files.exists(output) && Files.exists(stored.file()) && Files.isSameFile(output, stored.file())) {
                    throw refused(output + " is the model that is to be " + done + ". Name another file.");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + output + ": " + e.getMessage(), e);
        }
        if (Files.isDirectory(output)) {
            throw refused(output + " is a folder; the name of a GGUF file expected.");
        }
        if (Files.exists(output) && !replace) {
            throw refused(output + " exists. Name another file, or replace it with --force.");
        }
    }

    private static InvalidRequestException refused(String message) {
        return new InvalidRequestException("output", message);
    }

    private void checkResumed(PartialFile file, int numUnits) throws IOException {
        long end = 0;
        int unit = 0;
        for (PlannedTensor tensor : plan.tensors()) {
            for (int i = 0; i < tensor.sources().size() && unit < numUnits; i++, unit++) {
                end = tensor.offset() + (i + 1) * tensor.unitBytes();
            }
        }
        if (unit < numUnits || file.size() < end) {
            throw refused(PartialFile.partial(options.output()) + " is shorter than its journal says."
                    + " Begin again with --force.");
        }
    }

    /// Returns a line that differs whenever another file would be made: the header has all metadata, types and
    /// shapes; the weights are known by their files' names, lengths and times.
    private String identity() {
        CRC32C sources = new CRC32C();
        try {
            for (Path path : checkpoint.tensors().stream()
                    .map(StoredTensor::file)
                    .distinct()
                    .toList()) {
                String file = path.toAbsolutePath() + " " + Files.size(path) + " " + Files.getLastModifiedTime(path);
                sources.update(file.getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + checkpoint.source() + ": " + e.getMessage(), e);
        }
        CRC32C header = new CRC32C();
        header.update(plan.layout().header());
        long importance =
                options.importance() == null ? 0 : options.importance().checksum();
        String adapter = options.adapter() == null
                ? ""
                : " adapter " + HexFormat.of().formatHex(options.adapter().digest());
        return "mixtral-quantize 1 %s header %x sources %x importance %x%s"
                .formatted(options.preset(), header.getValue(), sources.getValue(), importance, adapter);
    }
}
