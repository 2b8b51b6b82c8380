package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.quantize.ImportanceMatrix;
import dev.mixtral.testing.TestModels;
import dev.mixtral.testing.TestModels.TestModel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Importance matrices from a text.
class CalibrationTest {
    private static final MixtralConfig CONFIG = TestModels.microConfig();
    private static final int BOS = 1;

    private final TestModel model = TestModels.random(CONFIG, 4);

    @TempDir
    private Path folder = Path.of("");

    private ImportanceMatrix measure(int[] ids, int numThreads) {
        Path file = folder.resolve("model.gguf");
        TestModels.writeGguf(model, file);
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            return Calibration.measure(checkpoint, BOS, ids, "a text", numThreads);
        }
    }

    @Test
    void theFirstMatricesSeeTheNormalisedEmbeddings() {
        int[] ids = {5, 9, 9, 30};
        float[] columns =
                measure(ids, 2).of("blk.0.attn_q.weight", 0, 1, CONFIG.dim()).orElseThrow();

        double[] expected = new double[CONFIG.dim()];
        for (int id : new int[] {BOS, 5, 9, 9, 30}) {
            float[] embeddings = model.values("tok_embeddings");
            double squares = 0;
            for (int c = 0; c < CONFIG.dim(); c++) {
                squares += Math.pow(embeddings[id * CONFIG.dim() + c], 2);
            }
            double scale = 1 / Math.sqrt(squares / CONFIG.dim() + CONFIG.normEps());
            for (int c = 0; c < CONFIG.dim(); c++) {
                double x = embeddings[id * CONFIG.dim() + c] * scale * model.values("layers.0.attention_norm")[c];
                expected[c] += x * x / 5;
            }
        }
        for (int c = 0; c < CONFIG.dim(); c++) {
            assertThat((double) columns[c]).isCloseTo(expected[c], within(1e-5 * (1 + expected[c])));
        }
    }

    @Test
    void everyMatrixIsMeasuredAndExpertsOnTheirOwnTokens() {
        int[] ids = new int[600]; // three windows of the context of 256
        for (int i = 0; i < ids.length; i++) {
            ids[i] = 3 + i * 7 % 40;
        }
        ImportanceMatrix one = measure(ids, 1);
        ImportanceMatrix three = measure(ids, 3);

        assertThat(one.size()).isEqualTo(1 + 7 * CONFIG.numLayers());
        for (int e = 0; e < CONFIG.numExperts(); e++) {
            float[] columns = one.of("blk.1.ffn_down_exps.weight", e, CONFIG.numExperts(), CONFIG.ffnDim())
                    .orElseThrow();
            assertThat(columns)
                    .isEqualTo(three.of("blk.1.ffn_down_exps.weight", e, CONFIG.numExperts(), CONFIG.ffnDim())
                            .orElseThrow());
        }
    }

    @Test
    void anEmptyTextIsRefused() {
        assertThatThrownBy(() -> measure(new int[0], 1))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("a text is empty");
    }
}
