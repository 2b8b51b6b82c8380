package dev.mixtral.benchmarks;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.MixtralGguf;
import dev.mixtral.format.MixtralGguf.Part;
import dev.mixtral.quantize.BlockQuantizer;
import dev.mixtral.quantize.Preset;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/// Prints what types and presets lose and save, as Markdown: the relative error of every type on random and on trained
/// weights, and the size of Mixtral 8x7B under every preset.
public final class QuantizationErrors {
    private static final List<DType> TYPES = List.of(
            DType.Q8_0,
            DType.Q6_K,
            DType.Q5_K,
            DType.Q4_K,
            DType.Q4_0,
            DType.IQ4_NL,
            DType.IQ4_XS,
            DType.Q3_K,
            DType.NL3,
            DType.Q2_K);
    private static final List<Preset> PRESETS = List.of(
            Preset.Q8_0,
            Preset.Q6_K,
            Preset.Q5_K_M,
            Preset.Q4_K_M,
            Preset.Q4_0,
            Preset.IQ4_NL,
            Preset.Q3_K_M,
            Preset.NL3,
            Preset.Q2_K);
    private static final MixtralConfig MIXTRAL_8X7B =
            new MixtralConfig(4096, 14336, 32, 32, 8, 128, 8, 2, 32000, 1e-5f, 1e6, 32768);
    private static final int RANDOM_WEIGHTS = 1 << 20;
    private static final double GIB = 1L << 30;

    private QuantizationErrors() {}

    /// `MODEL`: whose weights are the trained ones; rows in multiples of 256.
    public static void main(String[] args) {
        PrintStream out = System.out;
        try (Checkpoint checkpoint = Checkpoints.open(Path.of(args[0]))) {
            Map<String, float[]> samples = samples(checkpoint);
            out.println("| type | bits per weight | " + String.join(" | ", samples.keySet()) + " |");
            out.println("|---|---|" + "---|".repeat(samples.size()));
            for (DType type : TYPES) {
                StringBuilder line = new StringBuilder(
                        String.format(Locale.ROOT, "| %s | %.2f |", type, 8.0 * type.blockBytes() / type.blockSize()));
                samples.values()
                        .forEach(values ->
                                line.append(String.format(Locale.ROOT, " %.4f |", relativeError(type, values))));
                out.println(line);
            }
        }
        out.println("\n| preset | bits per weight of 8x7B | size |\n|---|---|---|");
        for (Preset preset : PRESETS) {
            long bytes = preset.weightBytes(MIXTRAL_8X7B);
            out.printf(
                    Locale.ROOT,
                    "| %s | %.2f | %.1f GiB |%n",
                    preset,
                    8.0 * bytes / MIXTRAL_8X7B.numParameters(),
                    bytes / GIB);
        }
    }

    /// Returns random weights, and all trained ones of each kind, in a row.
    private static Map<String, float[]> samples(Checkpoint checkpoint) {
        Map<String, float[]> samples = new LinkedHashMap<>();
        Random random = new Random(1);
        float[] gaussian = new float[RANDOM_WEIGHTS];
        for (int i = 0; i < gaussian.length; i++) {
            gaussian[i] = (float) random.nextGaussian();
        }
        samples.put("Gaussian", gaussian);
        samples.put("wq, wk", trained(checkpoint, ".*\\.w[qk]"));
        samples.put("wv, wo", trained(checkpoint, ".*\\.w[vo]"));
        samples.put("gate, up", trained(checkpoint, ".*\\.w[13]"));
        samples.put("down", trained(checkpoint, ".*\\.w2"));
        samples.put("output", trained(checkpoint, "output"));
        return samples;
    }

    private static float[] trained(Checkpoint checkpoint, String names) {
        List<float[]> matrices = MixtralGguf.parts(checkpoint.config(), checkpoint.isTied()).stream()
                .map(Part::weights)
                .flatMap(List::stream)
                .filter(name -> name.matches(names))
                .map(name -> checkpoint.tensor(name).toFloats())
                .toList();
        float[] all =
                new float[matrices.stream().mapToInt(matrix -> matrix.length).sum()];
        int at = 0;
        for (float[] matrix : matrices) {
            System.arraycopy(matrix, 0, all, at, matrix.length);
            at += matrix.length;
        }
        return all;
    }

    /// Returns the root mean square of the differences, in units of that of the weights.
    private static double relativeError(DType type, float[] values) {
        MemorySegment blocks = MemorySegment.ofArray(new byte[Math.toIntExact(type.byteSize(values.length))]);
        new BlockQuantizer().quantize(type, values, 0, values.length, null, blocks, 0);
        float[] decoded = new float[values.length];
        Dequantizer.dequantize(type, blocks, 0, decoded, 0, values.length);
        double error = 0;
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            error += Math.pow((double) decoded[i] - values[i], 2);
            sum += Math.pow(values[i], 2);
        }
        return Math.sqrt(error / sum);
    }
}
