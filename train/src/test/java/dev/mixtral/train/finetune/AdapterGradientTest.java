package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.train.Batch;
import dev.mixtral.train.DataParallel;
import dev.mixtral.train.GradientPass;
import dev.mixtral.train.LayerwisePass;
import dev.mixtral.train.Parameters;
import dev.mixtral.train.TorchMixtral;
import dev.mixtral.train.WholeGraphPass;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("pytorch")
class AdapterGradientTest {
    @TempDir
    private Path folder;

    @BeforeAll
    static void oneThread() {
        torch.set_num_threads(1);
    }

    private static LoraParameters lora(Checkpoint checkpoint, boolean dora) {
        var modules = TargetModules.choose(checkpoint.config(), List.of("all-linear"));
        return new LoraParameters(modules, 3, dora, 1);
    }

    private static TorchMixtral model(FrozenWeights frozen, LoraParameters lora, boolean dora, double dropout) {
        AdaptedWeights weights = new AdaptedWeights(frozen, lora, 2, dropout);
        if (dora) {
            weights.initializeMagnitudes();
        }
        TinyModel.randomize(lora, 5);
        return new TorchMixtral(weights);
    }

    private static float[] gradients(GradientPass pass, Batch batch) {
        pass.parameters().gradients().zero_();
        pass.backward(batch, new GradientPass.Share(batch.totalWeight(), 1, 77));
        return Parameters.toArray(pass.parameters().gradients());
    }

    /// With two experts, both chosen, no choice can flip within the difference.
    @Test
    void gradientsAgreeWithFiniteDifferences() {
        try (Checkpoint checkpoint = TinyModel.checkpoint(folder, 2);
                FrozenWeights frozen = new FrozenWeights(checkpoint, true, 1)) {
            LoraParameters lora = lora(checkpoint, false);
            GradientPass pass = new WholeGraphPass(model(frozen, lora, false, 0), 0, 0);
            assertSlope(pass, lora, 0, lora.values().numel());
        }
    }

    /// The lengths of the rows count as constants for `A` and `B`, so only the magnitudes have true slopes.
    @Test
    void gradientsOfMagnitudesAgreeWithFiniteDifferences() {
        try (Checkpoint checkpoint = TinyModel.checkpoint(folder, 2);
                FrozenWeights frozen = new FrozenWeights(checkpoint, true, 1)) {
            LoraParameters lora = lora(checkpoint, true);
            GradientPass pass = new WholeGraphPass(model(frozen, lora, true, 0), 0, 0);
            assertSlope(pass, lora, lora.numMatrixWeights(), lora.values().numel());
        }
    }

    /// Along the gradient itself the slope is its squared norm: one direction that every number takes part in.
    private static void assertSlope(GradientPass pass, LoraParameters lora, long from, long to) {
        Batch batch = TinyModel.batch(64, 2, 16, false);
        float[] gradients = gradients(pass, batch);
        double squared = 0;
        for (int i = 0; i < gradients.length; i++) {
            gradients[i] = i >= from && i < to ? gradients[i] : 0;
            squared += (double) gradients[i] * gradients[i];
        }
        double norm = Math.sqrt(squared);
        assertThat(norm).isPositive();
        double step = 1e-2 / norm;
        double slope =
                (lossAt(pass, lora, batch, gradients, step) - lossAt(pass, lora, batch, gradients, -step)) / 2e-2;
        assertThat(slope).isCloseTo(norm, within(0.01 * norm));
    }

    private static double lossAt(
            GradientPass pass, LoraParameters lora, Batch batch, float[] direction, double length) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            Tensor by = Tensor.create(direction).mul(new Scalar(length));
            lora.values().add_(by);
            double loss = pass.evaluate(batch).loss() / batch.totalWeight();
            lora.values().sub_(by);
            return loss;
        }
    }

    @ParameterizedTest
    @CsvSource({"false, 0, false", "false, 0.3, true", "true, 0.3, true"})
    void layerByLayerGivesTheGradientsOfTheWholeGraph(boolean dora, double dropout, boolean packed) {
        try (Checkpoint checkpoint = TinyModel.checkpoint(folder, 4);
                FrozenWeights kept = new FrozenWeights(checkpoint, true, 1);
                FrozenWeights streamed = new FrozenWeights(checkpoint, false, 2)) {
            Batch batch = TinyModel.batch(64, 3, 24, packed);
            LoraParameters lora = lora(checkpoint, dora);
            GradientPass whole = new WholeGraphPass(model(kept, lora, dora, dropout), 0.02, 1e-3);
            GradientPass layers = new LayerwisePass(model(streamed, lora, dora, dropout), 0.02, 1e-3);
            float[] expected = gradients(whole, batch);
            float[] actual = gradients(layers, batch);
            double largest = 0;
            double worst = 0;
            for (int i = 0; i < expected.length; i++) {
                largest = Math.max(largest, Math.abs(expected[i]));
                worst = Math.max(worst, Math.abs(expected[i] - actual[i]));
            }
            assertThat(largest).isPositive();
            assertThat(worst).isLessThan(1e-5 * largest);
            assertThat(layers.evaluate(batch).loss())
                    .isCloseTo(whole.evaluate(batch).loss(), within(1e-3));
        }
    }

    @Test
    void examplesOfARowDoNotSeeEachOther() {
        try (Checkpoint checkpoint = TinyModel.checkpoint(folder, 4);
                FrozenWeights frozen = new FrozenWeights(checkpoint, true, 1)) {
            TorchMixtral model = model(frozen, lora(checkpoint, false), false, 0);
            GradientPass pass = new WholeGraphPass(model, 0, 0);
            Batch together = TinyModel.batch(64, 1, 24, true);
            double sum = 0;
            for (int[] part : new int[][] {{0, 8}, {8, 24}}) {
                sum += pass.evaluate(part(together, part[0], part[1])).loss();
            }
            assertThat(pass.evaluate(together).loss()).isCloseTo(sum, within(1e-3));
            Batch seeing = TinyModel.batch(64, 1, 24, false);
            assertThat(Math.abs(pass.evaluate(seeing).loss() - sum)).isGreaterThan(1e-2);
        }
    }

    private static Batch part(Batch batch, int from, int to) {
        return new Batch(
                1,
                to - from,
                java.util.Arrays.copyOfRange(batch.inputs(), from, to),
                java.util.Arrays.copyOfRange(batch.targets(), from, to),
                java.util.Arrays.copyOfRange(batch.weights(), from, to));
    }

    @Test
    void workersGiveTheGradientsOfOne() {
        try (Checkpoint checkpoint = TinyModel.checkpoint(folder, 4);
                FrozenWeights frozen = new FrozenWeights(checkpoint, true, 1)) {
            LoraParameters lora = lora(checkpoint, false);
            Batch batch = TinyModel.batch(64, 3, 24, true);
            float[] expected = gradients(new WholeGraphPass(model(frozen, lora, false, 0), 0, 0), batch);
            lora.gradients().zero_();
            GradientPass pass = new WholeGraphPass(model(frozen, lora, false, 0), 0, 0);
            try (DataParallel workers = new DataParallel(pass, 2)) {
                workers.accumulate(batch);
            }
            float[] actual = Parameters.toArray(lora.gradients());
            for (int i = 0; i < actual.length; i++) {
                assertThat(actual[i]).isCloseTo(expected[i], within(1e-4f));
            }
        }
    }
}
