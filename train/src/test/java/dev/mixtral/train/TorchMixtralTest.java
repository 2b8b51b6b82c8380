package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.format.MixtralConfig;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("pytorch")
class TorchMixtralTest {
    private static final MixtralConfig CONFIG = new MixtralConfig(32, 48, 2, 2, 1, 32, 4, 2, 64, 1e-5f, 10_000, 64);

    @BeforeAll
    static void oneThread() {
        torch.set_num_threads(1);
    }

    @Test
    void gradientsAgreeWithFiniteDifferences() {
        // All experts chosen: a choice that flips within the difference would be a step, not a slope.
        MixtralConfig config = new MixtralConfig(32, 48, 2, 2, 1, 32, 2, 2, 64, 1e-5f, 10_000, 64);
        Parameters parameters = new Parameters(config, 3);
        TorchMixtral model = new TorchMixtral(parameters);
        Batch batch = batch(5, 2, 16);
        float[] gradients;
        try (DataParallel workers = new DataParallel(new WholeGraphPass(model, 0.02, 1e-3), 1)) {
            workers.accumulate(batch);
            gradients = Parameters.toArray(parameters.gradients());
            parameters.gradients().zero_();
        }
        // Along the gradient itself the slope is its squared norm: one direction that every weight takes part in.
        double squaredNorm = 0;
        for (float gradient : gradients) {
            squaredNorm += (double) gradient * gradient;
        }
        double length = 1e-3 / Math.sqrt(squaredNorm);
        double slope = (lossAt(model, batch, gradients, length) - lossAt(model, batch, gradients, -length)) / 2e-3;
        assertThat(slope).isCloseTo(Math.sqrt(squaredNorm), within(0.02 * Math.sqrt(squaredNorm)));
    }

    @Test
    void everyWeightOfTheModelGetsAGradient() {
        Parameters parameters = new Parameters(CONFIG, 3);
        GradientPass pass = new WholeGraphPass(new TorchMixtral(parameters), 0.02, 0);
        try (DataParallel workers = new DataParallel(pass, 2)) {
            workers.accumulate(batch(5, 8, 32));
        }
        for (int layer = 0; layer < CONFIG.numLayers(); layer++) {
            for (int expert = 0; expert < CONFIG.numExperts(); expert++) {
                Tensor gradient = parameters
                        .block(Parameters.expertPrefix(layer, expert) + "gateUp")
                        .grad();
                assertThat(gradient.norm().item_double()).isPositive();
            }
        }
    }

    @Test
    void aLaterTokenDoesNotChangeAnEarlierLogit() {
        TorchMixtral model = new TorchMixtral(new Parameters(CONFIG, 3));
        long[] ids = batch(9, 1, 16).inputs();
        long[] changed = ids.clone();
        changed[15] = (changed[15] + 1) % CONFIG.vocabSize();
        float[] before = logits(model, ids);
        float[] after = logits(model, changed);
        int untouched = 15 * CONFIG.vocabSize();
        for (int i = 0; i < untouched; i++) {
            assertThat(after[i]).isCloseTo(before[i], within(1e-5f));
        }
        assertThat(Arrays.copyOfRange(after, untouched, after.length))
                .isNotEqualTo(Arrays.copyOfRange(before, untouched, before.length));
    }

    @Test
    void publishedWeightsAreViewsOfTheTrainedOnes() {
        Parameters parameters = new Parameters(CONFIG, 3);
        long total = parameters.published().values().stream()
                .mapToLong(Tensor::numel)
                .sum();
        assertThat(total).isEqualTo(CONFIG.numParameters());
        assertThat(parameters.published()).hasSize(3 + CONFIG.numLayers() * (7 + 3 * CONFIG.numExperts()));
        parameters.values().fill_(new Scalar(0.5));
        parameters
                .published()
                .values()
                .forEach(tensor -> assertThat(Parameters.toArray(tensor)).containsOnly(0.5f));
    }

    private static double lossAt(TorchMixtral model, Batch batch, float[] direction, double length) {
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            Tensor values = model.weights().trainable().values();
            Tensor step = Tensor.create(direction).mul(new Scalar(length));
            values.add_(step);
            TorchMixtral.Output output = model.forward(batch.inputs(), batch.rows(), batch.length());
            Tensor crossEntropy = WholeGraphPass.tokenLosses(model.logits(output.states()), batch.targets())
                    .mean();
            Tensor loss = output.routers().addTo(crossEntropy, 0.02, 1e-3);
            values.sub_(step);
            return loss.item_double();
        }
    }

    private static float[] logits(TorchMixtral model, long[] ids) {
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            return Parameters.toArray(
                    model.logits(model.forward(ids, 1, ids.length).states()));
        }
    }

    static Batch batch(long seed, int rows, int length) {
        SplittableRandom random = new SplittableRandom(seed);
        long[] inputs =
                random.longs((long) rows * length, 0, CONFIG.vocabSize()).toArray();
        long[] targets =
                random.longs((long) rows * length, 0, CONFIG.vocabSize()).toArray();
        float[] weights = new float[rows * length];
        Arrays.fill(weights, 1);
        return new Batch(rows, length, inputs, targets, weights);
    }
}
