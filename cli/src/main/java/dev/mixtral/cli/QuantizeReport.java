package dev.mixtral.cli;

import dev.mixtral.quantize.Preset;
import dev.mixtral.quantize.QuantizedTensor;
import dev.mixtral.tensor.DType;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What quantising did to a model.
///
/// @param seconds time taken
record QuantizeReport(Path output, Preset preset, List<QuantizedTensor> tensors, double seconds) {
    private long bytes() {
        return tensors.stream().mapToLong(QuantizedTensor::bytes).sum();
    }

    private long numElements() {
        return tensors.stream().mapToLong(QuantizeReport::numElements).sum();
    }

    private double bitsPerWeight() {
        return 8.0 * bytes() / numElements();
    }

    private static long numElements(QuantizedTensor tensor) {
        return Arrays.stream(tensor.shape()).reduce(1, (a, b) -> a * b);
    }

    /// Prints a table and a summary.
    void print(PrintStream out) {
        int width = tensors.stream()
                .mapToInt(tensor -> tensor.name().length())
                .max()
                .orElse(0);
        String line = "%-" + width + "s  %-18s  %-14s  %10s  %s%n";
        out.printf(Locale.ROOT, line, "tensor", "shape", "type", "size", "error (RMS of the difference / RMS)");
        for (QuantizedTensor tensor : tensors) {
            out.printf(
                    Locale.ROOT,
                    line,
                    tensor.name(),
                    Arrays.toString(tensor.shape()),
                    tensor.source() + "→" + tensor.type(),
                    Sizes.bytes(tensor.bytes()),
                    error(tensor));
        }
        out.printf(
                Locale.ROOT,
                "%s: %s, %s of weights, %.2f bits per weight, in %.1f s%n",
                output,
                preset,
                Sizes.bytes(bytes()),
                bitsPerWeight(),
                seconds);
        List<QuantizedTensor> fallbacks =
                tensors.stream().filter(QuantizedTensor::isFallback).toList();
        if (!fallbacks.isEmpty()) {
            out.println(fallbacks.size() + " tensors have rows that the blocks of their type do not divide: "
                    + fallbacks.stream()
                            .map(tensor -> replaced(tensor.wanted(), tensor.type()))
                            .distinct()
                            .collect(Collectors.joining(", ")));
        }
    }

    private static String error(QuantizedTensor tensor) {
        String note = tensor.isFallback() ? "  instead of " + tensor.wanted() : "";
        return String.format(Locale.ROOT, "%.5f", tensor.relativeError()) + note;
    }

    private static String replaced(DType wanted, DType type) {
        return type + " instead of " + wanted;
    }

    /// Returns the same for programs.
    ObjectNode toJson() {
        ObjectNode json = JsonLines.MAPPER
                .createObjectNode()
                .put("output", output.toString())
                .put("type", preset.toString())
                .put("bytes", bytes())
                .put("bitsPerWeight", bitsPerWeight())
                .put("seconds", seconds);
        ArrayNode list = json.putArray("tensors");
        for (QuantizedTensor tensor : tensors) {
            ObjectNode entry = list.addObject().put("name", tensor.name());
            ArrayNode shape = entry.putArray("shape");
            Arrays.stream(tensor.shape()).forEach(shape::add);
            entry.put("source", tensor.source().name())
                    .put("type", tensor.type().name())
                    .put("wanted", tensor.wanted().name())
                    .put("bytes", tensor.bytes())
                    .put("relativeError", tensor.relativeError());
        }
        return json;
    }
}
