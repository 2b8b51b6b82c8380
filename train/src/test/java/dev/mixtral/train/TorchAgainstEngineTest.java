package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.EngineConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The autograd model and the inference engine share no code for the forward pass; they must agree on its result.
@Tag("pytorch")
class TorchAgainstEngineTest {
    private static final Path MODEL = Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny");

    @Test
    void bothGiveTheSameLogits() {
        try (Engine engine = Engine.load(MODEL, EngineConfig.defaults())) {
            TorchMixtral torch = load(engine);
            int vocabSize = engine.modelConfig().vocabSize();
            Random random = new Random(4);
            double worst = 0;
            for (int length : new int[] {1, 2, 33, 300}) {
                int[] ids = random.ints(length, 0, vocabSize).toArray();
                float[][] actual = engine.logits(ids, true);
                float[] expected;
                try (var _ = new PointerScope();
                        var _ = new NoGradGuard()) {
                    long[] longs = Arrays.stream(ids).asLongStream().toArray();
                    expected = Parameters.toArray(
                            torch.logits(torch.forward(longs, 1, length).states()));
                }
                for (int i = 0; i < length; i++) {
                    for (int id = 0; id < vocabSize; id++) {
                        worst = Math.max(worst, Math.abs(actual[i][id] - expected[i * vocabSize + id]));
                    }
                }
            }
            System.out.printf("engine and autograd logits differ by %.2e at most%n", worst);
            assertThat(worst).isCloseTo(0, within(5e-4));
        }
    }

    private static TorchMixtral load(Engine engine) {
        Parameters parameters = new Parameters(engine.modelConfig(), 1);
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            engine.checkpoint().tensors().forEach(stored -> {
                String name = stored.tensor().name();
                Tensor target = Objects.requireNonNull(parameters.published().get(name), name);
                target.copy_(Tensor.create(stored.tensor().toFloats()).reshape(target.sizes()));
            });
        }
        return new TorchMixtral(parameters);
    }
}
