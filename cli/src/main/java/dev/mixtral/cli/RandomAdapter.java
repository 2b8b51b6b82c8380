package dev.mixtral.cli;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.LoraWeights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// An adapter of random numbers over attention and all experts, the most that fine-tuning usually trains: for
/// measuring what adapters cost.
final class RandomAdapter {
    /// Small, so that activations stay in their usual range.
    private static final double BOUND = 0.01;

    private final MixtralConfig config;
    private final int rank;
    private final SplittableRandom random = new SplittableRandom(42);
    private final Map<String, LoraWeights> modules = new LinkedHashMap<>();

    private RandomAdapter(MixtralConfig config, int rank) {
        this.config = config;
        this.rank = rank;
    }

    static LoraAdapter of(MixtralConfig config, int rank) {
        RandomAdapter adapter = new RandomAdapter(config, rank);
        for (int l = 0; l < config.numLayers(); l++) {
            adapter.addLayer("model.layers." + l + ".");
        }
        return new LoraAdapter(
                new LoraConfig(rank, rank, 0, false, false, List.of("all-linear"), "random"), adapter.modules);
    }

    private void addLayer(String prefix) {
        String attention = prefix + "self_attn.";
        add(attention + "q_proj", config.dim(), config.queryDim());
        add(attention + "k_proj", config.dim(), config.kvDim());
        add(attention + "v_proj", config.dim(), config.kvDim());
        add(attention + "o_proj", config.queryDim(), config.dim());
        if (config.isDense()) {
            addFeedForward(prefix + "mlp.gate_proj", prefix + "mlp.down_proj", prefix + "mlp.up_proj");
            return;
        }
        for (int e = 0; e < config.numExperts(); e++) {
            String expert = prefix + "block_sparse_moe.experts." + e;
            addFeedForward(expert + ".w1", expert + ".w2", expert + ".w3");
        }
    }

    private void addFeedForward(String gate, String down, String up) {
        add(gate, config.dim(), config.ffnDim());
        add(down, config.ffnDim(), config.dim());
        add(up, config.dim(), config.ffnDim());
    }

    private void add(String module, int in, int out) {
        modules.put(module, new LoraWeights(rank, in, out, numbers(rank * in), numbers(out * rank)));
    }

    private float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextDouble(-BOUND, BOUND);
        }
        return numbers;
    }
}
