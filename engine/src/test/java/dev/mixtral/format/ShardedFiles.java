package dev.mixtral.format;

import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.testing.TestModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes safetensors as two shards with an index.
final class ShardedFiles {
    private ShardedFiles() {}

    static void write(Path folder, List<SafetensorsWriter.Entry> entries) {
        List<SafetensorsWriter.Entry> first = entries.subList(0, entries.size() / 3);
        List<SafetensorsWriter.Entry> second = entries.subList(entries.size() / 3, entries.size());
        SafetensorsWriter.write(folder.resolve("model-00001-of-00002.safetensors"), Map.of(), first);
        SafetensorsWriter.write(folder.resolve("model-00002-of-00002.safetensors"), Map.of(), second);
        Map<String, String> weightMap = new LinkedHashMap<>();
        first.forEach(entry -> weightMap.put(entry.name(), "model-00001-of-00002.safetensors"));
        second.forEach(entry -> weightMap.put(entry.name(), "model-00002-of-00002.safetensors"));
        TestModels.writeJson(folder.resolve("model.safetensors.index.json"), Map.of("weight_map", weightMap));
        try {
            Files.deleteIfExists(folder.resolve("model.safetensors"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
