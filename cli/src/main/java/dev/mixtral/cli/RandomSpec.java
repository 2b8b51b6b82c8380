package dev.mixtral.cli;

import dev.mixtral.cli.OptionChecks.UsageException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tensor.DType;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// A model named by shape and type, `8x7b:q4_0`, to be filled with random weights.
///
/// @param config the shape of the published model, with fewer layers if asked
/// @param type type of the large matrices
/// @param publishedLayers layers of the published model
record RandomSpec(MixtralConfig config, DType type, int publishedLayers) {
    private static final Map<String, MixtralConfig> SHAPES = Map.of(
            "8x7b", new MixtralConfig(4096, 14336, 32, 32, 8, 128, 8, 2, 32000, 1e-5f, 1e6, 32768),
            "8x22b", new MixtralConfig(6144, 16384, 56, 48, 8, 128, 8, 2, 32768, 1e-5f, 1e6, 65536),
            "7b", new MixtralConfig(4096, 14336, 32, 32, 8, 128, 1, 1, 32000, 1e-5f, 1e4, 32768),
            // Llama 2 70B: what Mixtral's speed is held against.
            "70b", new MixtralConfig(8192, 28672, 80, 64, 8, 128, 1, 1, 32000, 1e-5f, 1e4, 4096),
            // Small enough for a test, and every width a multiple of the largest quantisation block.
            "micro", new MixtralConfig(256, 256, 2, 4, 2, 64, 8, 2, 512, 1e-5f, 1e6, 4096));

    /// Reads a specification.
    ///
    /// @param text `SHAPE:TYPE`
    /// @param numLayers layers to keep; 0 for all
    /// @throws UsageException if there is no such shape or type, or it has fewer layers
    static RandomSpec parse(String text, int numLayers) {
        int colon = text.indexOf(':');
        OptionChecks.require(colon > 0, "--random: expected SHAPE:TYPE such as 8x7b:q4_0, got " + text);
        MixtralConfig shape = SHAPES.get(text.substring(0, colon).toLowerCase(Locale.ROOT));
        if (shape == null) {
            throw new UsageException("--random: expected a shape of "
                    + SHAPES.keySet().stream().sorted().collect(Collectors.joining(", ")) + ", got " + text);
        }
        int layers = numLayers == 0 ? shape.numLayers() : numLayers;
        OptionChecks.require(
                layers > 0 && layers <= shape.numLayers(),
                "--layers: expected 1 to " + shape.numLayers() + ", got " + numLayers);
        return new RandomSpec(withLayers(shape, layers), type(text.substring(colon + 1)), shape.numLayers());
    }

    private static DType type(String name) {
        return Arrays.stream(DType.values())
                .filter(type -> type.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new UsageException("--random: expected a type of "
                        + Arrays.stream(DType.values())
                                .map(type -> type.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))
                        + ", got " + name));
    }

    private static MixtralConfig withLayers(MixtralConfig shape, int numLayers) {
        return new MixtralConfig(
                shape.dim(),
                shape.ffnDim(),
                numLayers,
                shape.numHeads(),
                shape.numKvHeads(),
                shape.headDim(),
                shape.numExperts(),
                shape.numExpertsPerToken(),
                shape.vocabSize(),
                shape.normEps(),
                shape.ropeTheta(),
                shape.contextLength());
    }

    /// Returns the type of the output matrix: published quantised files keep it at 6 bits or more.
    DType outputType() {
        return type.isPlain() || type == DType.Q8_0 ? type : DType.Q6_K;
    }
}
