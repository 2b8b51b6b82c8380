package dev.mixtral.testing;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.LoraWeights;
import dev.mixtral.tensor.DType;
import dev.mixtral.testing.TestModels.TestModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;

/// Random adapters of small random models.
public final class TestAdapters {
    private TestAdapters() {}

    /// Returns an adapter of everything that can have one.
    public static LoraAdapter ofEverything(MixtralConfig config, int rank, long seed) {
        return random(config, new LoraConfig(rank, 2f * rank, 0, false, false, List.of(), "base"), seed, _ -> true);
    }

    /// Returns an adapter of the matrices whose name in [LoraAdapter] passes.
    public static LoraAdapter random(MixtralConfig config, LoraConfig lora, long seed, Predicate<String> targets) {
        Random random = new Random(seed);
        Map<String, LoraWeights> modules = new LinkedHashMap<>();
        TestNames.shapes(config).forEach((name, shape) -> {
            String file = TestNames.huggingFace(name, config);
            String module = file.substring(0, file.length() - ".weight".length());
            boolean possible = shape.length == 2 && !name.equals("tok_embeddings");
            if (possible && targets.test(module)) {
                modules.put(module, weights(random, lora, (int) shape[0], (int) shape[1]));
            }
        });
        return new LoraAdapter(lora, modules);
    }

    /// Returns an adapter that changes nothing: its second factors are zero.
    public static LoraAdapter ofNothing(MixtralConfig config, int rank) {
        Map<String, LoraWeights> modules = new LinkedHashMap<>();
        LoraAdapter adapter = ofEverything(config, rank, 1);
        adapter.modules().forEach((module, weights) -> {
            float[] zeros = new float[weights.b().length];
            modules.put(module, new LoraWeights(rank, weights.in(), weights.out(), weights.a(), zeros));
        });
        return new LoraAdapter(adapter.config(), modules);
    }

    /// Returns the tensors of `model.safetensors` of a model that an adapter is merged into, computed plainly in double
    /// precision: `W + scaling · B · A`, with magnitudes each row brought to its magnitude.
    public static List<SafetensorsWriter.Entry> merged(TestModel model, LoraAdapter adapter) {
        return TestModels.huggingFaceEntries(model, DType.F32).stream()
                .map(entry -> merged(entry, adapter))
                .toList();
    }

    private static SafetensorsWriter.Entry merged(SafetensorsWriter.Entry entry, LoraAdapter adapter) {
        String module = entry.name().substring(0, entry.name().length() - ".weight".length());
        LoraWeights lora = adapter.modules().get(module);
        if (lora == null) {
            return entry;
        }
        float[] values = new float[entry.values().length];
        for (int row = 0; row < lora.out(); row++) {
            double[] sums = new double[lora.in()];
            double squares = 0;
            for (int col = 0; col < lora.in(); col++) {
                for (int k = 0; k < lora.rank(); k++) {
                    sums[col] += (double) lora.b()[row * lora.rank() + k] * lora.a()[k * lora.in() + col];
                }
                sums[col] =
                        entry.values()[row * lora.in() + col] + adapter.config().scaling() * sums[col];
                squares += sums[col] * sums[col];
            }
            double scale = lora.magnitude() == null ? 1 : lora.magnitude()[row] / Math.sqrt(squares);
            for (int col = 0; col < lora.in(); col++) {
                values[row * lora.in() + col] = (float) (scale * sums[col]);
            }
        }
        return new SafetensorsWriter.Entry(entry.name(), DType.F32, entry.shape(), values);
    }

    private static LoraWeights weights(Random random, LoraConfig lora, int out, int in) {
        float[] a = gaussian(random, lora.rank() * in, 1 / Math.sqrt(in));
        float[] b = gaussian(random, out * lora.rank(), 0.3 / Math.sqrt(lora.rank()));
        if (!lora.dora()) {
            return new LoraWeights(lora.rank(), in, out, a, b);
        }
        float[] magnitude = gaussian(random, out, 0.2);
        for (int i = 0; i < out; i++) {
            magnitude[i] += 1;
        }
        return new LoraWeights(lora.rank(), in, out, a, b, magnitude);
    }

    private static float[] gaussian(Random random, int n, double scale) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) (scale * random.nextGaussian());
        }
        return values;
    }
}
