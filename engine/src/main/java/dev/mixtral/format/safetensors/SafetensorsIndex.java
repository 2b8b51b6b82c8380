package dev.mixtral.format.safetensors;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.io.JsonObject;
import dev.mixtral.format.io.StrictJson;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// `model.safetensors.index.json`: which file of a sharded checkpoint holds which tensor.
///
/// @param path the index file
/// @param fileOfTensor file names, without any path, by tensor name
public record SafetensorsIndex(Path path, Map<String, String> fileOfTensor) {
    /// Reads and checks an index.
    ///
    /// @throws ModelFormatException if it is no index, or names files outside its own folder
    public static SafetensorsIndex read(Path path) {
        JsonObject index = StrictJson.readObject(path);
        JsonObject weightMap =
                index.object("weight_map").orElseThrow(() -> new ModelFormatException(path, "`weight_map` is missing"));
        Map<String, String> fileOfTensor = new LinkedHashMap<>();
        for (String tensor : weightMap.keys()) {
            String file = weightMap
                    .string(tensor)
                    .orElseThrow(() -> new ModelFormatException(path, "tensor " + tensor + " has no file"));
            checkFileName(path, tensor, file);
            fileOfTensor.put(tensor, file);
        }
        return new SafetensorsIndex(path, fileOfTensor);
    }

    private static void checkFileName(Path path, String tensor, String file) {
        if (!isPlain(path, file) || !file.endsWith(".safetensors")) {
            throw new ModelFormatException(
                    path,
                    "tensor " + tensor + " lies in `" + file + "`; the plain name of a .safetensors file expected");
        }
    }

    private static boolean isPlain(Path path, String file) {
        if (file.contains("/") || file.contains("\\") || file.contains("..")) {
            return false;
        }
        try {
            return file.equals(String.valueOf(path.resolveSibling(file).getFileName()));
        } catch (InvalidPathException e) {
            // NUL, half a surrogate pair, or what the platform's encoding cannot express.
            return false;
        }
    }

    /// Opens all files and checks that they hold what the index says, and nothing else.
    ///
    /// @param arena owns the mappings
    public List<SafetensorsFile> open(Arena arena) {
        List<SafetensorsFile> files = new ArrayList<>();
        Set<String> found = new HashSet<>();
        for (String name : fileOfTensor.values().stream().distinct().sorted().toList()) {
            SafetensorsFile file = SafetensorsFile.open(path.resolveSibling(name), arena);
            for (Tensor tensor : file.tensors()) {
                checkListed(file, name, tensor.name());
                found.add(tensor.name());
            }
            files.add(file);
        }
        for (String tensor : fileOfTensor.keySet()) {
            if (!found.contains(tensor)) {
                throw new ModelFormatException(
                        path, "tensor " + tensor + " should lie in " + fileOfTensor.get(tensor) + ", but does not");
            }
        }
        return files;
    }

    private void checkListed(SafetensorsFile file, String name, String tensor) {
        if (!name.equals(fileOfTensor.get(tensor))) {
            throw new ModelFormatException(
                    file.path(),
                    "holds tensor " + tensor + ", which " + path.getFileName() + " "
                            + (fileOfTensor.containsKey(tensor)
                                    ? "places in " + fileOfTensor.get(tensor)
                                    : "does not list"));
        }
    }
}
