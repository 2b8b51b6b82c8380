package dev.mixtral.lora;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Makes an adapter of the tensors of `adapter_model.safetensors`.
final class PeftReader {
    private static final String ROUTER_OF_5 = ".mlp.gate";
    private static final String ROUTER = ".block_sparse_moe.gate";

    private final Path file;
    private final PeftConfig peft;
    private final @Nullable MixtralConfig config;
    private final Map<String, Parts> parts = new LinkedHashMap<>();
    private final Map<String, LoraWeights> modules = new LinkedHashMap<>();

    /// The tensors of one module.
    static final class Parts {
        @Nullable
        Tensor a;

        @Nullable
        Tensor b;

        @Nullable
        Tensor magnitude;
    }

    PeftReader(Path file, PeftConfig peft, @Nullable MixtralConfig config) {
        this.file = file;
        this.peft = peft;
        this.config = config;
    }

    LoraAdapter read(List<Tensor> tensors) {
        tensors.forEach(this::sort);
        if (parts.isEmpty()) {
            throw new ModelFormatException(file, "holds no tensors, so it is no adapter");
        }
        parts.forEach((module, tensorsOfModule) -> {
            if (FusedExperts.isFused(module)) {
                new FusedExperts(file, peft, config)
                        .split(module, tensorsOfModule)
                        .forEach(this::add);
            } else {
                add(nameBefore5(module), single(module, tensorsOfModule));
            }
        });
        LoraConfig lora = peft.config();
        return new LoraAdapter(
                lora.targetModules().isEmpty() ? peft.withTargets(PeftConfig.lastWords(modules.keySet())) : lora,
                modules);
    }

    private void add(String module, LoraWeights weights) {
        if (modules.put(module, weights) != null) {
            throw new ModelFormatException(file, "two modules are called " + module);
        }
    }

    private void sort(Tensor tensor) {
        String name = tensor.name();
        if (!name.startsWith(PeftFolder.PREFIX)) {
            throw new ModelFormatException(
                    file, "tensor " + name + ": a name that begins with " + PeftFolder.PREFIX + " expected");
        }
        String rest = name.substring(PeftFolder.PREFIX.length());
        if (rest.endsWith(PeftFolder.A)) {
            parts(rest, PeftFolder.A).a = tensor;
        } else if (rest.endsWith(PeftFolder.B)) {
            parts(rest, PeftFolder.B).b = tensor;
        } else if (rest.endsWith(PeftFolder.MAGNITUDE)) {
            parts(rest, PeftFolder.MAGNITUDE).magnitude = tensor;
        } else if (rest.endsWith(PeftFolder.MAGNITUDE + ".weight")) {
            parts(rest, PeftFolder.MAGNITUDE + ".weight").magnitude = tensor;
        } else {
            throw new UnsupportedModelException(file + ": tensor " + name + " is none of a low-rank adapter of a matrix"
                    + " (lora_A, lora_B, lora_magnitude_vector): biases, adapted embeddings and modules_to_save are"
                    + " not supported. Train without them, or merge with PEFT.");
        }
    }

    private Parts parts(String name, String suffix) {
        return parts.computeIfAbsent(name.substring(0, name.length() - suffix.length()), _ -> new Parts());
    }

    private static String nameBefore5(String module) {
        return module.endsWith(ROUTER_OF_5)
                ? module.substring(0, module.length() - ROUTER_OF_5.length()) + ROUTER
                : module;
    }

    private LoraWeights single(String module, Parts found) {
        Tensor a = required(module, "lora_A", found.a);
        Tensor b = required(module, "lora_B", found.b);
        int rank = peft.rank(module);
        // As longs: a damaged file may say anything.
        if (a.shape().length != 2 || b.shape().length != 2 || a.shape()[0] != rank || b.shape()[1] != rank) {
            throw new ModelFormatException(
                    file,
                    module + ": A of [" + rank + ", in] and B of [out, " + rank + "] expected from " + PeftFolder.CONFIG
                            + ", got " + Arrays.toString(a.shape()) + " and " + Arrays.toString(b.shape()));
        }
        float[] scaled = values(b);
        peft.scale(module, scaled);
        return new LoraWeights(rank, a.cols(), b.rows(), values(a), scaled, magnitude(module, found, b.rows()));
    }

    private float @Nullable [] magnitude(String module, Parts found, int out) {
        if (!peft.config().dora()) {
            if (found.magnitude != null) {
                throw new ModelFormatException(
                        file, module + " has magnitudes, but " + PeftFolder.CONFIG + " does not say use_dora");
            }
            return null;
        }
        Tensor magnitude = required(module, "lora_magnitude_vector", found.magnitude);
        if (magnitude.numElements() != out) {
            throw new ModelFormatException(
                    file,
                    magnitude.name() + ": " + out + " elements expected, got " + Arrays.toString(magnitude.shape()));
        }
        return values(magnitude);
    }

    private Tensor required(String module, String what, @Nullable Tensor tensor) {
        if (tensor == null) {
            throw new ModelFormatException(file, module + " has no " + what);
        }
        return tensor;
    }

    private float[] values(Tensor tensor) {
        return Values.of(file, tensor);
    }
}
