package dev.mixtral.lora;

import dev.mixtral.format.MixtralConfig;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The matrices of a model that an adapter can change. Immutable.
final class LoraTargets {
    private final Map<String, Target> byModule = new LinkedHashMap<>();
    private final Map<String, Target> byWeight = new LinkedHashMap<>();

    /// A matrix that an adapter can change.
    ///
    /// @param module its name in [LoraAdapter]
    /// @param weight its name in [dev.mixtral.format.Checkpoint]
    /// @param headDim width of the heads that its rows belong to, if the order of these depends on the file; else 0
    record Target(String module, String weight, int out, int in, int headDim) {}

    LoraTargets(MixtralConfig config) {
        for (int l = 0; l < config.numLayers(); l++) {
            addLayer(config, "model.layers." + l + ".", "layers." + l + ".");
        }
        add(new Target("lm_head", "output", config.vocabSize(), config.dim(), 0));
    }

    private void addLayer(MixtralConfig config, String module, String weight) {
        int dim = config.dim();
        String theirs = module + "self_attn.";
        String ours = weight + "attention.";
        add(new Target(theirs + "q_proj", ours + "wq", config.queryDim(), dim, config.headDim()));
        add(new Target(theirs + "k_proj", ours + "wk", config.kvDim(), dim, config.headDim()));
        add(new Target(theirs + "v_proj", ours + "wv", config.kvDim(), dim, 0));
        add(new Target(theirs + "o_proj", ours + "wo", dim, config.queryDim(), 0));
        String experts = weight + "feed_forward.experts.";
        if (config.isDense()) {
            addExpert(config, module + "mlp.gate_proj", module + "mlp.down_proj", module + "mlp.up_proj", experts + 0);
            return;
        }
        String moe = module + "block_sparse_moe.";
        add(new Target(moe + "gate", weight + "feed_forward.gate", config.numExperts(), dim, 0));
        for (int e = 0; e < config.numExperts(); e++) {
            String expert = moe + "experts." + e;
            addExpert(config, expert + ".w1", expert + ".w2", expert + ".w3", experts + e);
        }
    }

    private void addExpert(MixtralConfig config, String w1, String w2, String w3, String expert) {
        add(new Target(w1, expert + ".w1", config.ffnDim(), config.dim(), 0));
        add(new Target(w2, expert + ".w2", config.dim(), config.ffnDim(), 0));
        add(new Target(w3, expert + ".w3", config.ffnDim(), config.dim(), 0));
    }

    private void add(Target target) {
        byModule.put(target.module(), target);
        byWeight.put(target.weight(), target);
    }

    /// Returns all of them, in the order of the forward pass.
    Collection<Target> all() {
        return byModule.values();
    }

    @Nullable
    Target ofModule(String module) {
        return byModule.get(module);
    }

    @Nullable
    Target ofWeight(String weight) {
        return byWeight.get(weight);
    }

    /// Returns the row of Hugging Face's order that is row `row` of the order in which the partners of a rotation lie
    /// side by side.
    static int halfSplitRow(int row, int headDim) {
        int inHead = row % headDim;
        return row - inHead + inHead / 2 + inHead % 2 * (headDim / 2);
    }
}
