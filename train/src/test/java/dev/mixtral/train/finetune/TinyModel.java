package dev.mixtral.train.finetune;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tokenizer.Tokenizers;
import dev.mixtral.train.Batch;
import dev.mixtral.train.ModelFolder;
import dev.mixtral.train.Parameters;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/// Small checkpoints for tests of gradients, and the model that comes with the program.
final class TinyModel {
    static final Path EMBEDDED = Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny");

    private TinyModel() {}

    /// A mixture of two layers.
    static MixtralConfig config(int numExperts) {
        return new MixtralConfig(32, 48, 2, 2, 1, 32, numExperts, 2, 64, 1e-5f, 10_000, 64);
    }

    /// Writes random weights as a checkpoint, and opens it.
    static Checkpoint checkpoint(Path folder, int numExperts) {
        Parameters parameters = new Parameters(config(numExperts), 3);
        new ModelFolder(folder).write(parameters, Tokenizers.open(EMBEDDED.resolve("tokenizer.model")));
        return Checkpoints.open(folder);
    }

    /// Fills an adapter with random numbers, so that every part of it has an effect.
    static void randomize(LoraParameters lora, long seed) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            torch.manual_seed(seed);
            long matrices = lora.numMatrixWeights();
            lora.values().narrow(0, 0, matrices).copy_(torch.randn(matrices).mul(new Scalar(0.1)));
        }
    }

    /// Random ids; each row holds two examples that do not see each other if `packed`.
    static Batch batch(int vocabSize, int rows, int length, boolean packed) {
        SplittableRandom random = new SplittableRandom(11);
        long[] inputs = random.longs((long) rows * length, 0, vocabSize).toArray();
        long[] targets = random.longs((long) rows * length, 0, vocabSize).toArray();
        float[] weights = new float[rows * length];
        Arrays.fill(weights, 1);
        int[] starts = new int[rows * length];
        for (int i = 0; i < starts.length; i++) {
            starts[i] = i % length < length / 3 ? 0 : length / 3;
        }
        return packed
                ? new Batch(rows, length, inputs, targets, weights, starts)
                : new Batch(rows, length, inputs, targets, weights);
    }
}
