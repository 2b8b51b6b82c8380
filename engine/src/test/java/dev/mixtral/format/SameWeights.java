package dev.mixtral.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.tensor.Tensor;
import dev.mixtral.testing.RopeRows;
import java.util.ArrayList;
import java.util.List;

/// Compares two checkpoints of one model, whatever the order of their `wq` and `wk` rows.
final class SameWeights {
    private SameWeights() {}

    static void assertSame(Checkpoint actual, Checkpoint expected) {
        for (String name : names(expected.config())) {
            assertThat(values(actual, name)).as(name).isEqualTo(values(expected, name));
            assertThat(actual.tensor(name).shape())
                    .as("shape of %s", name)
                    .isEqualTo(expected.tensor(name).shape());
        }
    }

    /// Returns the canonical names of all tensors.
    static List<String> names(MixtralConfig config) {
        List<String> names = new ArrayList<>(List.of("tok_embeddings", "output", "norm"));
        for (int l = 0; l < config.numLayers(); l++) {
            String layer = "layers." + l + ".";
            for (String name : List.of("attention_norm", "ffn_norm", "attention.wq", "attention.wk", "attention.wv")) {
                names.add(layer + name);
            }
            names.add(layer + "attention.wo");
            if (!config.isDense()) {
                names.add(layer + "feed_forward.gate");
            }
            for (int e = 0; e < config.numExperts(); e++) {
                for (String matrix : List.of("w1", "w2", "w3")) {
                    names.add(layer + "feed_forward.experts." + e + "." + matrix);
                }
            }
        }
        return names;
    }

    private static float[] values(Checkpoint checkpoint, String name) {
        Tensor tensor = checkpoint.tensor(name);
        boolean rotated = name.endsWith(".wq") || name.endsWith(".wk");
        return rotated && checkpoint.ropeLayout() == RopeLayout.HALF_SPLIT
                ? RopeRows.interleave(tensor.toFloats(), checkpoint.config().headDim(), tensor.cols())
                : tensor.toFloats();
    }
}
