package dev.mixtral.lora;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.format.io.MappedFile;
import dev.mixtral.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/// Opens adapters, whatever their format.
public final class LoraFiles {
    private LoraFiles() {}

    /// Reads an adapter: a PEFT folder (or its `adapter_model.safetensors`), or a GGUF file.
    ///
    /// @param config the model that it is for; see [LoraDeltas#fit] for whether it fits
    /// @throws ModelNotFoundException if there is no adapter
    /// @throws dev.mixtral.error.ModelFormatException if a file is broken
    /// @throws dev.mixtral.error.UnsupportedModelException if the adapter needs what is not done here, by name
    public static LoraAdapter read(Path path, MixtralConfig config) {
        return isGguf(path) ? GgufLora.read(path, config) : PeftFolder.read(path, config);
    }

    /// Returns whether a path holds an adapter rather than a model.
    public static boolean isAdapter(Path path) {
        return PeftFolder.recognises(path) || (isGguf(path) && GgufLora.recognises(path));
    }

    private static boolean isGguf(Path path) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        byte[] head = MappedFile.head(path, Integer.BYTES);
        return head.length == Integer.BYTES && MemorySegment.ofArray(head).get(LittleEndian.INT, 0) == GgufFile.MAGIC;
    }
}
