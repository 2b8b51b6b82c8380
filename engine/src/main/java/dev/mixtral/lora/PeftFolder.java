package dev.mixtral.lora;

import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.io.AtomicFile;
import dev.mixtral.format.io.StrictJson;
import dev.mixtral.format.safetensors.SafetensorsFile;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.format.safetensors.SafetensorsWriter.Entry;
import dev.mixtral.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Adapters in the format of Hugging Face's PEFT: a folder with `adapter_config.json` and
/// `adapter_model.safetensors`.
public final class PeftFolder {
    static final String CONFIG = "adapter_config.json";
    static final String WEIGHTS = "adapter_model.safetensors";
    static final String PREFIX = "base_model.model.";
    static final String A = ".lora_A.weight";
    static final String B = ".lora_B.weight";
    static final String MAGNITUDE = ".lora_magnitude_vector";

    private PeftFolder() {}

    /// Returns whether a path looks like such a folder, or like the file with its weights.
    static boolean recognises(Path path) {
        return Files.exists(path.resolve(CONFIG)) || path.endsWith(WEIGHTS);
    }

    /// Writes an adapter, in 32-bit floats. Its two files are written aside, forced to the disk and renamed
    /// together, in a folder that is made if need be. If that fails, what was there is as before, and a new
    /// folder is removed.
    ///
    /// @throws UncheckedIOException if the folder cannot be written
    public static void write(LoraAdapter adapter, Path folder) {
        Map<String, Entry> entries = new TreeMap<>(); // the order of the reference writer
        adapter.modules().forEach((module, weights) -> {
            add(entries, PREFIX + module + A, weights.a(), weights.rank(), weights.in());
            add(entries, PREFIX + module + B, weights.b(), weights.out(), weights.rank());
            if (weights.magnitude() != null) {
                add(entries, PREFIX + module + MAGNITUDE, weights.magnitude(), weights.out());
            }
        });
        byte[] config = PeftConfig.write(adapter).getBytes(StandardCharsets.UTF_8);
        Map<Path, AtomicFile.Content> files = new LinkedHashMap<>();
        files.put(
                folder.resolve(WEIGHTS),
                SafetensorsWriter.content(Map.of("format", "pt"), new ArrayList<>(entries.values()))::writeTo);
        files.put(folder.resolve(CONFIG), channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(config)));
        boolean isNew = !Files.exists(folder);
        boolean complete = false;
        try {
            Files.createDirectories(folder);
            AtomicFile.write(files);
            complete = true;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make " + folder + ": " + e.getMessage(), e);
        } finally {
            if (isNew && !complete) {
                deleteEmpty(folder);
            }
        }
    }

    private static void deleteEmpty(Path folder) {
        try {
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + folder + ": " + e.getMessage(), e);
        }
    }

    private static void add(Map<String, Entry> entries, String name, float[] values, long... shape) {
        entries.put(name, new Entry(name, DType.F32, shape, values));
    }

    /// Reads an adapter whose experts are named one by one, as Transformers named them before version 5.
    ///
    /// @throws dev.mixtral.error.MixtralException as [#read(Path, MixtralConfig)], and if experts are fused:
    ///     how, only the model's shapes tell
    public static LoraAdapter read(Path folder) {
        return readWith(folder, null);
    }

    /// Reads an adapter of a model, also one whose experts are fused as Transformers 5 has them.
    ///
    /// @param folder the folder, or the file with the weights in it
    /// @param config tells how fused experts are laid out; whether the adapter fits is not checked here
    /// @throws ModelNotFoundException if there is no such adapter
    /// @throws dev.mixtral.error.ModelFormatException if a file is broken or the two contradict each other
    /// @throws dev.mixtral.error.UnsupportedModelException if the adapter needs what is not done here, by name
    public static LoraAdapter read(Path folder, MixtralConfig config) {
        return readWith(folder, config);
    }

    private static LoraAdapter readWith(Path path, @Nullable MixtralConfig config) {
        Path folder = path.endsWith(WEIGHTS) ? path.toAbsolutePath().resolveSibling("") : path;
        if (!Files.isDirectory(folder)) {
            throw new ModelNotFoundException("There is no adapter at " + path + ". Expected: a folder with " + CONFIG
                    + " and " + WEIGHTS + ", or a GGUF adapter.");
        }
        for (String name : List.of(CONFIG, WEIGHTS)) {
            if (!Files.isRegularFile(folder.resolve(name))) {
                String hint = Files.exists(folder.resolve("adapter_model.bin"))
                        ? " PyTorch's pickled weights (adapter_model.bin) are not read: they can run code."
                        : "";
                throw new ModelNotFoundException(folder + " holds no " + name + ", so it is no adapter." + hint);
            }
        }
        PeftConfig peft = PeftConfig.read(StrictJson.readObject(folder.resolve(CONFIG)));
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = SafetensorsFile.open(folder.resolve(WEIGHTS), arena);
            return new PeftReader(file.path(), peft, config).read(file.tensors());
        }
    }
}
