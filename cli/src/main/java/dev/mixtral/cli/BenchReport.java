package dev.mixtral.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import tools.jackson.databind.node.ObjectNode;

/// What a benchmark found.
///
/// @param model what was run
/// @param kernels name of the kernels
/// @param threads compute threads
/// @param bandwidth bytes per second that so many threads read from memory at most
/// @param layers what was run of the model
/// @param runs one per batch size
record BenchReport(String model, String kernels, int threads, double bandwidth, Layers layers, List<Run> runs) {
    /// How much of a model was run.
    ///
    /// @param run layers that were
    /// @param published layers that it has
    /// @param outputBytes bytes of the output matrix, which every step reads once, however many layers there are
    record Layers(int run, int published, long outputBytes) {
        boolean isAll() {
            return run == published;
        }
    }

    /// One batch size.
    ///
    /// @param adapted whether an adapter was applied
    /// @param batch sequences that decoded together
    /// @param promptTokens prompt tokens of each sequence
    /// @param depth positions of each sequence when decode began
    /// @param generatedTokens tokens generated in each sequence
    /// @param prefillNanos time of all prompts, one after the other
    /// @param decodeNanos time of all steps
    /// @param decodeBytes the model's weights, keys and values that the steps had to read
    /// @param allocatedBytes heap that all threads took meanwhile
    record Run(
            boolean adapted,
            int batch,
            int promptTokens,
            int depth,
            int generatedTokens,
            long prefillNanos,
            long decodeNanos,
            long decodeBytes,
            long allocatedBytes) {
        double prefillTokensPerSecond() {
            return (double) batch * promptTokens / prefillNanos * 1e9;
        }

        double decodeTokensPerSecond() {
            return (double) batch * generatedTokens / decodeNanos * 1e9;
        }

        double decodeBytesPerSecond() {
            return (double) decodeBytes / decodeNanos * 1e9;
        }

        /// Returns the prefill of all layers at the speed of these.
        double prefillOfAll(Layers layers) {
            return prefillTokensPerSecond() * layers.run() / layers.published();
        }

        /// Returns the decode of all layers at as many bytes per second.
        double decodeOfAll(Layers layers) {
            double stepBytes = (double) decodeBytes / generatedTokens;
            double layerBytes = (stepBytes - layers.outputBytes()) / layers.run();
            return decodeTokensPerSecond() * stepBytes / (layers.outputBytes() + layers.published() * layerBytes);
        }

        double allocatedPerStep() {
            return (double) allocatedBytes / generatedTokens;
        }

        /// Returns the time to the first token of one sequence that has the machine to itself.
        double ttftSeconds() {
            return (prefillNanos / (double) batch + decodeNanos / (double) generatedTokens) / 1e9;
        }
    }

    void print(PrintStream out) {
        out.println(model + ", " + kernels + " kernels, " + threads + (threads == 1 ? " thread" : " threads"));
        out.printf(Locale.ROOT, "memory bandwidth %.1f GB/s, %s%n%n", bandwidth / 1e9, peakText());
        out.println(
                "batch  depth  prefill tokens/s  first token s  decode tokens/s  decode GB/s  of bandwidth  KiB allocated");
        for (Run run : runs) {
            out.printf(
                    Locale.ROOT,
                    "%5d  %5d  %16.2f  %13.3f  %15.2f  %11.2f  %11.0f%%  %13.1f%n",
                    run.batch(),
                    run.depth(),
                    run.prefillTokensPerSecond(),
                    run.ttftSeconds(),
                    run.decodeTokensPerSecond(),
                    run.decodeBytesPerSecond() / 1e9,
                    100 * run.decodeBytesPerSecond() / bandwidth,
                    run.allocatedPerStep() / 1024);
            printSlowdown(out, run);
        }
        if (!layers.isAll()) {
            out.printf("%nAll %d layers at the speed of these %d:%n", layers.published(), layers.run());
            for (Run run : runs) {
                out.printf(
                        Locale.ROOT,
                        "%5d  %5d  %16.2f  %13s  %15.2f%n",
                        run.batch(),
                        run.depth(),
                        run.prefillOfAll(layers),
                        "",
                        run.decodeOfAll(layers));
            }
        }
    }

    /// Tells what an adapter costs beside the same run without it.
    private void printSlowdown(PrintStream out, Run adapted) {
        int at = runs.indexOf(adapted);
        if (adapted.adapted() && at > 0) {
            Run plain = runs.get(at - 1);
            out.printf(
                    Locale.ROOT,
                    "       with the adapter: prefill %.2f, decode %.2f of the speed without%n",
                    adapted.prefillTokensPerSecond() / plain.prefillTokensPerSecond(),
                    adapted.decodeTokensPerSecond() / plain.decodeTokensPerSecond());
        }
    }

    private static String peakText() {
        OptionalLong peak = peakResidentBytes();
        return peak.isPresent() ? "peak memory " + Sizes.bytes(peak.getAsLong()) : "peak memory unknown";
    }

    /// Returns the report as one object; `bench/peers` reads it.
    ObjectNode toJson() {
        ObjectNode root = JsonLines.MAPPER
                .createObjectNode()
                .put("model", model)
                .put("kernels", kernels)
                .put("threads", threads)
                .put("layers", layers.run())
                .put("publishedLayers", layers.published())
                .put("memoryBytesPerSecond", bandwidth);
        peakResidentBytes().ifPresent(bytes -> root.put("peakResidentBytes", bytes));
        var array = root.putArray("runs");
        for (Run run : runs) {
            var entry = array.addObject()
                    .put("adapter", run.adapted())
                    .put("batch", run.batch())
                    .put("promptTokens", run.promptTokens())
                    .put("depth", run.depth())
                    .put("generatedTokens", run.generatedTokens())
                    .put("prefillTokensPerSecond", run.prefillTokensPerSecond())
                    .put("ttftSeconds", run.ttftSeconds())
                    .put("decodeTokensPerSecond", run.decodeTokensPerSecond())
                    .put("decodeBytesPerSecond", run.decodeBytesPerSecond())
                    .put("allocatedBytesPerStep", run.allocatedPerStep())
                    .put("shareOfBandwidth", run.decodeBytesPerSecond() / bandwidth);
            if (!layers.isAll()) {
                entry.put("prefillTokensPerSecondOfAllLayers", run.prefillOfAll(layers))
                        .put("decodeTokensPerSecondOfAllLayers", run.decodeOfAll(layers));
            }
        }
        return root;
    }

    /// Linux only: the most memory this process has had, mapped files included.
    private static OptionalLong peakResidentBytes() {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return OptionalLong.empty();
        }
        try {
            return Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }
}
