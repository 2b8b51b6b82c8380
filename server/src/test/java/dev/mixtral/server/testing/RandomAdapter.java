package dev.mixtral.server.testing;

import dev.mixtral.engine.Engine;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.LoraWeights;
import dev.mixtral.lora.PeftFolder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Adapters that make a model say something else.
public final class RandomAdapter {
    private static final int RANK = 4;

    private RandomAdapter() {}

    /// Writes an adapter of the values of attention as a PEFT folder, and returns it.
    public static Path write(Path folder, Engine engine, long seed) {
        MixtralConfig config = engine.modelConfig();
        Random random = new Random(seed);
        Map<String, LoraWeights> modules = new HashMap<>();
        for (int l = 0; l < config.numLayers(); l++) {
            modules.put(
                    "model.layers." + l + ".self_attn.v_proj",
                    new LoraWeights(
                            RANK,
                            config.dim(),
                            config.kvDim(),
                            gaussian(random, RANK * config.dim()),
                            gaussian(random, config.kvDim() * RANK)));
        }
        PeftFolder.write(
                new LoraAdapter(new LoraConfig(RANK, 1, 0, false, false, List.of("v_proj"), "tiny"), modules), folder);
        return folder;
    }

    private static float[] gaussian(Random random, int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian() / 4;
        }
        return values;
    }
}
