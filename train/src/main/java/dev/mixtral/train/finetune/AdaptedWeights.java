package dev.mixtral.train.finetune;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.mm;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.train.FlatParameters;
import dev.mixtral.train.ModelWeights;
import dev.mixtral.train.Parameters;
import dev.mixtral.train.finetune.LoraParameters.Leaves;
import dev.mixtral.train.finetune.TargetModules.Module;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/// Frozen weights with a trainable adapter: `W x + scaling · B A x`, and with DoRA each row of `W + scaling · B A`
/// brought to its magnitude, the row's own length counting as a constant (arXiv 2402.09353 §4.3).
///
/// Dropout of the adapter's input is a function of the noise's seed and the module's name, so that a pass that is
/// computed again drops the same.
final class AdaptedWeights implements ModelWeights {
    private final FrozenWeights base;
    private final LoraParameters lora;
    private final double scaling;
    private final double dropout;
    private final MixtralConfig config;
    private long noise;

    AdaptedWeights(FrozenWeights base, LoraParameters lora, double scaling, double dropout) {
        this.base = base;
        this.lora = lora;
        this.scaling = scaling;
        this.dropout = dropout;
        this.config = base.config();
    }

    /// Sets the magnitudes to the lengths of the rows, so that the adapter changes nothing.
    void initializeMagnitudes() {
        for (Module module : lora.modules()) {
            try (var _ = new PointerScope()) {
                Leaves leaves = find(module.name());
                if (leaves != null) {
                    Part part = part(module.name());
                    Tensor weight = base.matrix(part.block()).narrow(0, part.from(), module.out());
                    lora.setMagnitude(module.name(), Parameters.toArray(rowLengths(weight, leaves)));
                }
            }
        }
    }

    /// Where the matrix of a module lies in the blocks of the frozen weights.
    private record Part(String block, long from) {}

    private Part part(String module) {
        for (int layer = 0; layer < config.numLayers(); layer++) {
            List<String> attention = attentionModules(layer);
            long[] from = {0, config.queryDim(), config.queryDim() + config.kvDim()};
            for (int i = 0; i < from.length; i++) {
                if (module.equals(attention.get(i))) {
                    return new Part(FrozenWeights.qkv(layer), from[i]);
                }
            }
            if (module.equals(attention.get(3))) {
                return new Part(FrozenWeights.attentionOutput(layer), 0);
            }
            if (module.equals(TargetModules.router(layer))) {
                return new Part(FrozenWeights.router(layer), 0);
            }
            for (int expert = 0; expert < config.numExperts(); expert++) {
                if (module.equals(TargetModules.w1(config, layer, expert))) {
                    return new Part(FrozenWeights.gateUp(layer, expert), 0);
                }
                if (module.equals(TargetModules.w3(config, layer, expert))) {
                    return new Part(FrozenWeights.gateUp(layer, expert), config.ffnDim());
                }
                if (module.equals(TargetModules.w2(config, layer, expert))) {
                    return new Part(FrozenWeights.down(layer, expert), 0);
                }
            }
        }
        throw new IllegalArgumentException("no module " + module);
    }

    private static List<String> attentionModules(int layer) {
        String prefix = "model.layers." + layer + ".self_attn.";
        return List.of(prefix + "q_proj", prefix + "k_proj", prefix + "v_proj", prefix + "o_proj");
    }

    @Override
    public MixtralConfig config() {
        return config;
    }

    @Override
    public FlatParameters trainable() {
        return lora;
    }

    @Override
    public AdaptedWeights replica() {
        return new AdaptedWeights(base, lora.replica(), scaling, dropout);
    }

    @Override
    public void noise(long seed) {
        noise = seed;
    }

    @Override
    public Tensor embed(long[] ids) {
        return base.embed(ids);
    }

    @Override
    public Tensor norm(String name) {
        return base.norm(name);
    }

    @Override
    public Tensor qkv(Tensor x, int layer) {
        List<String> modules = attentionModules(layer).subList(0, 3);
        return adapt(x, FrozenWeights.qkv(layer), modules, config.queryDim(), config.kvDim(), config.kvDim());
    }

    @Override
    public Tensor attentionOutput(Tensor x, int layer) {
        return adapt(
                x,
                FrozenWeights.attentionOutput(layer),
                List.of(attentionModules(layer).get(3)),
                config.dim());
    }

    @Override
    public Tensor router(Tensor x, int layer) {
        return adapt(x, FrozenWeights.router(layer), List.of(TargetModules.router(layer)), config.numExperts());
    }

    @Override
    public Tensor gateUp(Tensor x, int layer, int expert) {
        List<String> modules =
                List.of(TargetModules.w1(config, layer, expert), TargetModules.w3(config, layer, expert));
        return adapt(x, FrozenWeights.gateUp(layer, expert), modules, config.ffnDim(), config.ffnDim());
    }

    @Override
    public Tensor down(Tensor x, int layer, int expert) {
        return adapt(
                x, FrozenWeights.down(layer, expert), List.of(TargetModules.w2(config, layer, expert)), config.dim());
    }

    @Override
    public Tensor logits(Tensor states) {
        return base.multiply(states, "output");
    }

    /// Multiplies with a block whose parts, one below the other, may have adapters.
    private Tensor adapt(Tensor x, String block, List<String> modules, int... rows) {
        Tensor weight = base.matrix(block);
        Tensor result = linear(x, weight);
        if (modules.stream().allMatch(module -> find(module) == null)) {
            return result;
        }
        TensorVector parts = new TensorVector();
        long from = 0;
        for (int i = 0; i < rows.length; i++) {
            Tensor part = rows.length == 1 ? result : result.narrow(1, from, rows[i]);
            Leaves leaves = find(modules.get(i));
            parts.push_back(
                    leaves == null ? part : adapt(x, part, weight.narrow(0, from, rows[i]), modules.get(i), leaves));
            from += rows[i];
        }
        return rows.length == 1 ? parts.get(0) : cat(parts, 1);
    }

    private Tensor adapt(Tensor x, Tensor part, Tensor weight, String module, Leaves leaves) {
        Tensor low = linear(dropped(x, module), leaves.a());
        Tensor sum = part.add(linear(low, leaves.b()), new Scalar(scaling));
        Tensor magnitude = leaves.magnitude();
        return magnitude == null ? sum : sum.mul(magnitude.div(rowLengths(weight, leaves)));
    }

    private @Nullable Leaves find(String module) {
        return lora.find(module);
    }

    /// Returns the lengths `[out]` of the rows of `W + scaling · B A`, constants for autograd.
    private Tensor rowLengths(Tensor weight, Leaves leaves) {
        try (var _ = new NoGradGuard()) {
            Tensor adapted = weight.add(mm(leaves.b(), leaves.a()), new Scalar(scaling));
            return adapted.square()
                    .sum(new long[] {1}, false, new ScalarTypeOptional())
                    .sqrt();
        }
    }

    private Tensor dropped(Tensor x, String module) {
        if (noise == 0 || dropout == 0) {
            return x;
        }
        float[] mask = new float[Math.toIntExact(x.numel())];
        SplittableRandom random = new SplittableRandom(noise ^ (module.hashCode() * 0x9E3779B97F4A7C15L));
        float kept = (float) (1 / (1 - dropout));
        for (int i = 0; i < mask.length; i++) {
            mask[i] = random.nextDouble() < dropout ? 0 : kept;
        }
        return x.mul(Tensor.create(mask).reshape(x.size(0), x.size(1)));
    }
}
