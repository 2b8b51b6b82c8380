package dev.mixtral.train.finetune;

import static org.bytedeco.pytorch.global.torch.zeros;

import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.LoraWeights;
import dev.mixtral.train.FlatParameters;
import dev.mixtral.train.Parameters;
import dev.mixtral.train.finetune.TargetModules.Module;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// The trained matrices of an adapter (LoRA, arXiv 2106.09685), in one flat tensor: for each module `A` `[rank, in]`
/// and `B` `[out, rank]`; behind all of them, with DoRA (2402.09353), the magnitudes `[out]`, which do not decay.
final class LoraParameters implements FlatParameters {
    private final List<Module> modules;
    private final int rank;
    private final boolean dora;
    private final Tensor values;
    private final Tensor gradients;
    private final long numMatrixWeights;
    private final Map<String, Leaves> leaves = new HashMap<>();

    /// The leaves of one module.
    ///
    /// @param a `[rank, in]`
    /// @param b `[out, rank]`
    /// @param magnitude `[out]`, with DoRA
    record Leaves(Tensor a, Tensor b, @Nullable Tensor magnitude) {}

    /// Makes an adapter that changes nothing: `A` is uniform within `1 / sqrt(in)`, as PEFT has it, `B` zero. The
    /// magnitudes are zero until [#setMagnitude].
    LoraParameters(List<Module> modules, int rank, boolean dora, long seed) {
        this(modules, rank, dora, zeros(count(modules, rank, dora)));
        SplittableRandom random = new SplittableRandom(seed);
        for (Module module : modules) {
            double bound = 1 / Math.sqrt(module.in());
            float[] a = new float[rank * module.in()];
            for (int i = 0; i < a.length; i++) {
                a[i] = (float) random.nextDouble(-bound, bound);
            }
            set(leaf(module.name()).a(), a);
        }
    }

    private LoraParameters(List<Module> modules, int rank, boolean dora, Tensor values) {
        this.modules = modules;
        this.rank = rank;
        this.dora = dora;
        this.values = values;
        this.gradients = zeros(values.numel());
        long matrices = count(modules, rank, false);
        long offset = 0;
        long magnitudes = matrices;
        for (Module module : modules) {
            Tensor a = FlatParameters.leaf(values, gradients, offset, rank, module.in());
            offset += (long) rank * module.in();
            Tensor b = FlatParameters.leaf(values, gradients, offset, module.out(), rank);
            offset += (long) rank * module.out();
            Tensor magnitude = dora ? FlatParameters.leaf(values, gradients, magnitudes, module.out()) : null;
            magnitudes += module.out();
            leaves.put(module.name(), new Leaves(a, b, magnitude));
        }
        this.numMatrixWeights = matrices;
    }

    /// Returns how many numbers are trained.
    static long count(List<Module> modules, int rank, boolean dora) {
        return modules.stream()
                .mapToLong(module -> (long) rank * (module.in() + module.out()) + (dora ? module.out() : 0))
                .sum();
    }

    /// Returns parameters that share the values and have gradients of their own.
    LoraParameters replica() {
        return new LoraParameters(modules, rank, dora, values);
    }

    List<Module> modules() {
        return modules;
    }

    @Override
    public Tensor values() {
        return values;
    }

    @Override
    public Tensor gradients() {
        return gradients;
    }

    @Override
    public long numMatrixWeights() {
        return numMatrixWeights;
    }

    /// Returns the leaves of a module, or `null` if it has no adapter.
    @Nullable
    Leaves find(String module) {
        return leaves.get(module);
    }

    private Leaves leaf(String module) {
        Leaves found = leaves.get(module);
        if (found == null) {
            throw new IllegalArgumentException("no adapter for " + module);
        }
        return found;
    }

    /// Sets the magnitudes of a module.
    void setMagnitude(String module, float[] magnitude) {
        Tensor target = leaf(module).magnitude();
        if (target == null) {
            throw new IllegalStateException("magnitudes are DoRA's");
        }
        set(target, magnitude);
    }

    private static void set(Tensor tensor, float[] floats) {
        try (var _ = new PointerScope()) {
            new FloatPointer(tensor.data_ptr()).put(floats, 0, floats.length);
        }
    }

    /// Copies the adapter out.
    LoraAdapter toAdapter(LoraConfig config) {
        Map<String, LoraWeights> weights = new LinkedHashMap<>();
        for (Module module : modules) {
            weights.put(module.name(), weights(module));
        }
        return new LoraAdapter(config, weights);
    }

    private LoraWeights weights(Module module) {
        Leaves leaf = leaf(module.name());
        float[] a = Parameters.toArray(leaf.a());
        float[] b = Parameters.toArray(leaf.b());
        Tensor magnitude = leaf.magnitude();
        return magnitude == null
                ? new LoraWeights(rank, module.in(), module.out(), a, b)
                : new LoraWeights(rank, module.in(), module.out(), a, b, Parameters.toArray(magnitude));
    }
}
