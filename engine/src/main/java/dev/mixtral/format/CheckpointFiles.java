package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.format.gguf.GgufSplits;
import dev.mixtral.format.io.MappedFile;
import dev.mixtral.format.safetensors.SafetensorsFile;
import dev.mixtral.format.safetensors.SafetensorsIndex;
import dev.mixtral.tensor.LittleEndian;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Which files at a path make up a checkpoint. Nothing of them has been read but the first bytes.
sealed interface CheckpointFiles {
    /// A GGUF file, which may be one of a split set.
    record Gguf(Path file) implements CheckpointFiles {}

    /// Safetensors in one of the two layouts.
    ///
    /// @param source what the user pointed to
    /// @param weights a safetensors file, or the index of several
    record Safetensors(Path source, SafetensorsLayout layout, Path folder, Path config, Path weights)
            implements CheckpointFiles {
        List<SafetensorsFile> openAll(Arena arena) {
            return weights.toString().endsWith(".json")
                    ? SafetensorsIndex.read(weights).open(arena)
                    : List.of(SafetensorsFile.open(weights, arena));
        }
    }

    /// What a message says would have been accepted.
    String ACCEPTED = "Expected: a GGUF file; or a folder with config.json and model.safetensors (or"
            + " model.safetensors.index.json), with params.json and consolidated.safetensors, or with one GGUF model.";

    /// How much of a folder a message lists.
    int SHOWN_FILES = 20;

    /// Finds the checkpoint at a path.
    ///
    /// @throws ModelNotFoundException if there is none
    static CheckpointFiles find(Path path) {
        if (Files.isDirectory(path)) {
            return inFolder(path);
        }
        if (!Files.isRegularFile(path)) {
            throw new ModelNotFoundException("There is no model at " + path + ". " + ACCEPTED);
        }
        return ofFile(path);
    }

    private static CheckpointFiles inFolder(Path folder) {
        for (SafetensorsLayout layout : SafetensorsLayout.values()) {
            for (Path weights : List.of(layout.singleFile(folder), layout.index(folder))) {
                if (Files.isRegularFile(layout.config(folder)) && Files.isRegularFile(weights)) {
                    return new Safetensors(folder, layout, folder, layout.config(folder), weights);
                }
            }
        }
        List<Path> gguf = list(folder).stream()
                .filter(file -> file.getFileName().toString().endsWith(".gguf") && !GgufSplits.isLaterPart(file))
                .toList();
        if (gguf.size() == 1) {
            return new Gguf(gguf.getFirst());
        }
        if (gguf.size() > 1) {
            throw new ModelNotFoundException(
                    folder + " holds several GGUF models: " + names(gguf) + ". Name the one to open.");
        }
        throw new ModelNotFoundException("There is no model in " + folder + ", which holds: " + names(list(folder))
                + ". " + ACCEPTED + pickleHint(folder));
    }

    private static CheckpointFiles ofFile(Path file) {
        byte[] head = MappedFile.head(file, 16);
        int magic =
                head.length < Integer.BYTES ? 0 : MemorySegment.ofArray(head).get(LittleEndian.INT, 0);
        return switch (magic) {
            case GgufFile.MAGIC -> new Gguf(file);
            case 0x67676d6c, 0x67676d66, 0x67676a74, 0x67676c61 ->
                throw new UnsupportedModelException(
                        file + ": a GGML file of before August 2023. Use a GGUF file of the model.");
            default -> {
                if (SafetensorsFile.recognises(head)) {
                    yield safetensorsOf(file);
                }
                throw unrecognised(file);
            }
        };
    }

    private static Safetensors safetensorsOf(Path file) {
        Path folder = Optional.ofNullable(file.toAbsolutePath().getParent()).orElse(file);
        String name = String.valueOf(file.getFileName());
        for (SafetensorsLayout layout : layoutsFor(name)) {
            Path config = layout.config(folder);
            if (Files.isRegularFile(config)) {
                boolean shard =
                        !file.getFileName().equals(layout.singleFile(folder).getFileName())
                                && Files.isRegularFile(layout.index(folder))
                                && SafetensorsIndex.read(layout.index(folder))
                                        .fileOfTensor()
                                        .containsValue(name);
                return new Safetensors(file, layout, folder, config, shard ? layout.index(folder) : file);
            }
        }
        throw new ModelNotFoundException(file + " has neither config.json nor params.json beside it. " + ACCEPTED);
    }

    private static List<SafetensorsLayout> layoutsFor(String fileName) {
        return fileName.startsWith("consolidated")
                ? List.of(SafetensorsLayout.MISTRAL)
                : List.of(SafetensorsLayout.HUGGING_FACE, SafetensorsLayout.MISTRAL);
    }

    private static RuntimeException unrecognised(Path file) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        if (name.endsWith(".gguf") || name.endsWith(".safetensors")) {
            // Mapping explains a Git LFS pointer better.
            try (Arena arena = Arena.ofConfined()) {
                MappedFile.map(file, arena);
            }
            return new ModelFormatException(file, "is not what its name says: its first bytes are of no such file");
        }
        return new ModelNotFoundException(file + " is no model file. " + ACCEPTED + pickleHint(file));
    }

    private static String pickleHint(Path path) {
        List<Path> files = Files.isDirectory(path) ? list(path) : List.of(path);
        boolean pickles = files.stream()
                .map(Path::toString)
                .anyMatch(name -> name.endsWith(".bin") || name.endsWith(".pth") || name.endsWith(".pt"));
        return pickles
                ? " PyTorch's pickled weights (.bin, .pt, .pth) are not read: they can run code; use safetensors."
                : "";
    }

    private static String names(List<Path> files) {
        String names = files.stream()
                .limit(SHOWN_FILES)
                .map(file -> String.valueOf(file.getFileName()))
                .collect(Collectors.joining(", "));
        return files.isEmpty() ? "nothing" : files.size() > SHOWN_FILES ? names + ", …" : names;
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder + ": " + e.getMessage(), e);
        }
    }
}
