package dev.mixtral.format;

import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.format.gguf.GgufMetadata;
import dev.mixtral.format.gguf.GgufSplits;
import dev.mixtral.format.safetensors.SafetensorsFile;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Opens checkpoints.
///
/// Files are mapped, not read. A file that another process truncates while it is mapped makes the access that meets
/// the missing part fail with [InternalError] (SIGBUS): replace model files by renaming, never in place.
public final class Checkpoints {
    private Checkpoints() {}

    /// Opens what lies at `path`: a GGUF file (any one of a split set), a folder in Hugging Face or Mistral layout, a
    /// `.safetensors` file in such a folder, or a folder with one GGUF model. Files are told apart by their first
    /// bytes. A folder with several kinds opens as Hugging Face, else as Mistral, else as GGUF.
    ///
    /// @return a checkpoint with every tensor present and of the right shape; the caller closes it
    /// @throws ModelNotFoundException if nothing there can be opened; the message lists what is there
    /// @throws ModelFormatException if a file is broken or does not belong to its configuration
    /// @throws UnsupportedModelException if the model needs something that is not implemented
    /// @throws UncheckedIOException if a file cannot be read
    public static Checkpoint open(Path path) {
        CheckpointFiles files = CheckpointFiles.find(path);
        Arena arena = newArena();
        boolean opened = false;
        try {
            Checkpoint checkpoint = switch (files) {
                case CheckpointFiles.Gguf gguf -> openGguf(gguf, arena);
                case CheckpointFiles.Safetensors safetensors -> openSafetensors(safetensors, arena);
            };
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /// Shared, because the threads of a model read the weights.
    @SuppressWarnings("MustBeClosedChecker") // the checkpoint closes it
    private static Arena newArena() {
        return Arena.ofShared();
    }

    private static Checkpoint openGguf(CheckpointFiles.Gguf found, Arena arena) {
        List<GgufFile> files = GgufSplits.open(found.file(), arena);
        List<StoredTensor> stored = new ArrayList<>();
        for (GgufFile file : files) {
            file.tensors().forEach(tensor -> stored.add(new StoredTensor(file.path(), tensor)));
        }
        GgufFile first = files.getFirst();
        if (PackedWeights.is(first)) {
            return openPacked(first, stored, arena);
        }
        Architecture architecture = GgufConfig.read(
                first.metadata(), stored.stream().map(StoredTensor::tensor).toList());
        Map<String, Tensor> weights =
                WeightNames.GGUF.resolve(found.file().toString(), stored, architecture.config(), architecture.tied());
        return gguf(first, arena, architecture.config(), RopeLayout.INTERLEAVED, weights, Optional.empty(), stored);
    }

    private static Checkpoint openPacked(GgufFile file, List<StoredTensor> stored, Arena arena) {
        PackedWeights packed = PackedWeights.read(file);
        Architecture architecture = GgufConfig.read(file.metadata(), packed.namedAsInGguf(file));
        Map<String, Tensor> weights = packed.resolve(file, architecture.config(), architecture.tied());
        return gguf(file, arena, architecture.config(), packed.ropeLayout(), weights, Optional.of(packed), stored);
    }

    private static Checkpoint gguf(
            GgufFile file,
            Arena arena,
            MixtralConfig config,
            RopeLayout ropeLayout,
            Map<String, Tensor> weights,
            Optional<PackedWeights> packed,
            List<StoredTensor> stored) {
        GgufMetadata metadata = file.metadata();
        GgufTokenizer tokenizer = new GgufTokenizer(metadata, config.vocabSize());
        Map<String, String> shown = new LinkedHashMap<>();
        metadata.keys().forEach(key -> shown.put(key, metadata.shown(key).orElseThrow()));
        return new MappedCheckpoint(
                file.path().toString(),
                arena,
                config,
                ropeLayout,
                weights,
                packed,
                List.copyOf(stored),
                Collections.unmodifiableMap(shown),
                Optional.of(metadata.values()),
                tokenizer.source(),
                tokenizer.chatTemplates(),
                tokenizer.eosTokenIds());
    }

    private static Checkpoint openSafetensors(CheckpointFiles.Safetensors found, Arena arena) {
        Architecture architecture = found.layout().readConfig(found.config());
        MixtralConfig config = architecture.config();
        List<StoredTensor> stored = new ArrayList<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (SafetensorsFile file : found.openAll(arena)) {
            file.tensors().forEach(tensor -> stored.add(new StoredTensor(file.path(), tensor)));
            metadata.putAll(file.metadata());
        }
        String source = found.source().toString();
        Map<String, Tensor> weights = found.layout().names().resolve(source, stored, config, architecture.tied());
        FolderTokenizer tokenizer = new FolderTokenizer(found.folder(), config.vocabSize());
        Optional<TokenizerSource> tokenizerSource = tokenizer.source();
        return new MappedCheckpoint(
                source,
                arena,
                config,
                found.layout().ropeLayout(),
                weights,
                Optional.empty(),
                List.copyOf(stored),
                Collections.unmodifiableMap(metadata),
                Optional.empty(),
                tokenizerSource,
                tokenizer.chatTemplates(),
                tokenizer.eosTokenIds());
    }
}
