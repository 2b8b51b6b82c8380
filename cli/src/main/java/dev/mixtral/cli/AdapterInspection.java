package dev.mixtral.cli;

import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.LoraWeights;
import dev.mixtral.lora.PeftFolder;
import dev.mixtral.tensor.Tensor;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// What `mixtral inspect` tells of an adapter by itself; whether it fits a model is seen when it is loaded.
///
/// @param about what there is to say, in order
/// @param matrices shapes of what is there, by name
record AdapterInspection(Map<String, String> about, Map<String, String> matrices) {
    /// Reads an adapter: a PEFT folder, or a GGUF file.
    ///
    /// @throws dev.mixtral.error.MixtralException if it is broken
    static AdapterInspection of(Path path) {
        boolean gguf = Files.isRegularFile(path) && !path.toString().endsWith(".safetensors");
        return gguf ? ofGguf(path) : ofPeft(path, PeftFolder.read(path));
    }

    private static AdapterInspection ofPeft(Path path, LoraAdapter adapter) {
        LoraConfig config = adapter.config();
        Map<String, String> about = new LinkedHashMap<>();
        about.put("adapter", path + ", PEFT");
        about.put("base", config.baseModel().isEmpty() ? "not named" : config.baseModel());
        about.put(
                "kind",
                (config.dora() ? "DoRA" : "LoRA") + " of rank " + config.rank() + ", alpha " + config.alpha()
                        + (config.rsLora() ? ", rsLoRA" : "") + ", scaling " + config.scaling());
        about.put("changes", adapter.modules().size() + " matrices: " + String.join(", ", config.targetModules()));
        about.put("parameters", Sizes.count(adapter.numParameters()));
        Map<String, String> matrices = new LinkedHashMap<>();
        adapter.modules().forEach((name, weights) -> matrices.put(name, shapes(weights)));
        return new AdapterInspection(about, matrices);
    }

    private static String shapes(LoraWeights weights) {
        return "A [" + weights.rank() + ", " + weights.in() + "], B [" + weights.out() + ", " + weights.rank() + "]"
                + (weights.magnitude() == null ? "" : ", magnitudes [" + weights.out() + "]");
    }

    private static AdapterInspection ofGguf(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            GgufFile file = GgufFile.open(path, arena);
            Map<String, String> about = new LinkedHashMap<>();
            about.put("adapter", path + ", GGUF");
            file.metadata()
                    .keys()
                    .forEach(key -> about.put(key, file.metadata().shown(key).orElse("")));
            long numParameters = 0;
            Map<String, String> matrices = new LinkedHashMap<>();
            for (Tensor tensor : file.tensors()) {
                matrices.put(tensor.name(), tensor.type() + " " + Arrays.toString(tensor.shape()));
                numParameters += tensor.numElements();
            }
            about.put("parameters", Sizes.count(numParameters));
            return new AdapterInspection(about, matrices);
        }
    }

    /// Prints the report.
    ///
    /// @param listMatrices whether everything gets a line
    void print(PrintStream out, boolean listMatrices) {
        int width = about.keySet().stream().mapToInt(String::length).max().orElse(0);
        about.forEach((what, value) -> out.printf(Locale.ROOT, "%-" + width + "s  %s%n", what, value));
        if (listMatrices) {
            out.println();
            matrices.forEach((name, shape) -> out.println(name + "  " + shape));
        }
    }

    /// Returns the report as one object.
    ObjectNode toJson() {
        ObjectNode root = JsonLines.MAPPER.createObjectNode();
        about.forEach(root::put);
        ObjectNode shapes = root.putObject("matrices");
        matrices.forEach(shapes::put);
        return root;
    }
}
