package dev.mixtral.benchmarks;

import dev.mixtral.format.safetensors.SafetensorsFile;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Makes mixtral-tiny 256 columns wide without changing what it computes, so that types whose blocks have 256 columns
/// can be tried on trained weights.
///
/// New columns, rows, heads and inner units are zeros. RMSNorm divides by a mean over 256 columns then, which is less
/// than that over 192 by their ratio: norm weights and epsilon make up for it.
public final class WidenedModel {
    private static final int WIDE = 256;
    private static final JsonMapper MAPPER = new JsonMapper();

    private final int dim;
    private final int headDim;
    private final int headsPerGroup;
    private final int wideHeadsPerGroup;

    private WidenedModel(ObjectNode config) {
        dim = config.get("hidden_size").intValue();
        headDim = config.get("head_dim").intValue();
        int numKvHeads = config.get("num_key_value_heads").intValue();
        headsPerGroup = config.get("num_attention_heads").intValue() / numKvHeads;
        wideHeadsPerGroup = WIDE / headDim / numKvHeads;
    }

    /// `FROM TO`: folders in Hugging Face's layout, the second of which is made.
    public static void main(String[] args) throws IOException {
        Path from = Path.of(args[0]);
        Path to = Files.createDirectories(Path.of(args[1]));
        ObjectNode config = (ObjectNode) MAPPER.readTree(Files.readAllBytes(from.resolve("config.json")));
        WidenedModel widened = new WidenedModel(config);
        try (Arena arena = Arena.ofConfined();
                Stream<Path> files = Files.list(from)) {
            SafetensorsFile weights = SafetensorsFile.open(from.resolve("model.safetensors"), arena);
            List<SafetensorsWriter.Entry> entries =
                    weights.tensors().stream().map(widened::widen).toList();
            SafetensorsWriter.write(to.resolve("model.safetensors"), Map.of("format", "pt"), entries);
            for (Path file : files.filter(file -> file.getFileName().toString().matches("(tokenizer|generation).*"))
                    .toList()) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Files.write(to.resolve("config.json"), MAPPER.writeValueAsBytes(widened.widen(config)));
    }

    private ObjectNode widen(ObjectNode config) {
        int numKvHeads = config.get("num_key_value_heads").intValue();
        return config.deepCopy()
                .put("hidden_size", WIDE)
                .put("intermediate_size", WIDE)
                .put("num_attention_heads", wideHeadsPerGroup * numKvHeads)
                .put("rms_norm_eps", config.get("rms_norm_eps").doubleValue() * dim / WIDE);
    }

    private SafetensorsWriter.Entry widen(Tensor tensor) {
        String name = tensor.name();
        float[] values = tensor.toFloats();
        if (tensor.shape().length == 1) {
            float[] norm = new float[WIDE];
            for (int i = 0; i < dim; i++) {
                norm[i] = (float) (values[i] * Math.sqrt((double) dim / WIDE));
            }
            return new SafetensorsWriter.Entry(name, DType.F32, new long[] {WIDE}, norm);
        }
        int rows = wideRows(name, tensor.rows());
        float[] wide = new float[rows * WIDE];
        for (int row = 0; row < rows; row++) {
            int sourceRow = name.contains("q_proj") ? unwidenedHead(row) : row;
            for (int col = 0; col < WIDE; col++) {
                int sourceCol = name.contains("o_proj") ? unwidenedHead(col) : col;
                if (sourceRow >= 0 && sourceRow < tensor.rows() && sourceCol >= 0 && sourceCol < tensor.cols()) {
                    wide[row * WIDE + col] = values[sourceRow * tensor.cols() + sourceCol];
                }
            }
        }
        return new SafetensorsWriter.Entry(name, DType.F32, new long[] {rows, WIDE}, wide);
    }

    private int wideRows(String name, int rows) {
        boolean grows = name.contains("q_proj") || name.contains("o_proj") || name.matches(".*\\.w[123]\\..*");
        return grows ? WIDE : rows;
    }

    /// Returns the place that a column of the heads had before, or -1 if it belongs to a new head.
    private int unwidenedHead(int index) {
        int head = index / headDim;
        int group = head / wideHeadsPerGroup;
        int inGroup = head % wideHeadsPerGroup;
        return inGroup < headsPerGroup ? (group * headsPerGroup + inGroup) * headDim + index % headDim : -1;
    }
}
