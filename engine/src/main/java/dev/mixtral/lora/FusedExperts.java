package dev.mixtral.lora;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.lora.PeftReader.Parts;
import dev.mixtral.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Takes adapters of the fused experts of Transformers 5 apart (`mlp.experts.gate_up_proj` `[E, 2 F, D]` and
/// `mlp.experts.down_proj` `[E, D, F]`, adapted by PEFT's `target_parameters`).
///
/// PEFT has `A` `[E · r, X]` by expert, then rank, and `B` `[Y, r · E]` by rank, then expert; the matrix of expert `e`
/// is `Σ_r B[y, r, e] · A[e, r, x]`. Newer versions have `x` along the inputs; older ones took the parameter for
/// `[E, in, out]`, which makes `x` the outputs. The shapes tell which, if they differ.
///
/// @param config the model's, if known
record FusedExperts(Path file, PeftConfig peft, @Nullable MixtralConfig config) {
    private static final String EXPERTS = ".mlp.experts";
    private static final String INNER = ".base_layer";
    private static final String GATE_UP = "gate_up_proj";
    private static final String DOWN = "down_proj";

    /// One factor of all experts.
    ///
    /// @param values `[E · rank, cols]` if `byExpert`, else `[rows, rank · E]`
    private record Factor(float[] values, int rank, int numExperts, int width, boolean byExpert) {
        /// Returns an element of the factor of one expert.
        float get(int expert, int rankIndex, int i) {
            return byExpert
                    ? values[(expert * rank + rankIndex) * width + i]
                    : values[(i * rank + rankIndex) * numExperts + expert];
        }
    }

    static boolean isFused(String module) {
        return module.endsWith(EXPERTS) || module.endsWith(EXPERTS + INNER);
    }

    /// Returns the adapters of the single experts.
    Map<String, LoraWeights> split(String module, Parts parts) {
        MixtralConfig model = config;
        if (model == null) {
            throw new UnsupportedModelException(file + ": " + module + " holds fused experts (Transformers 5), which"
                    + " only the shapes of the model can take apart.");
        }
        if (peft.config().dora() || parts.magnitude != null) {
            throw new UnsupportedModelException(file + ": " + module + ": DoRA of fused experts is not supported.");
        }
        Tensor tensorOfA = parts.a;
        Tensor tensorOfB = parts.b;
        if (tensorOfA == null || tensorOfB == null) {
            throw new ModelFormatException(file, module + " needs lora_A and lora_B");
        }
        String parameter = parameter(module);
        boolean down = parameter.equals(DOWN);
        int in = down ? model.ffnDim() : model.dim();
        int out = down ? model.dim() : 2 * model.ffnDim();
        String name = module.substring(0, module.indexOf(EXPERTS)) + EXPERTS + "." + parameter;
        int rank = peft.rank(name);
        boolean swapped = isSwapped(name, tensorOfA, tensorOfB, rank, in, out);
        float[] scaled = Values.of(file, tensorOfB);
        peft.scale(name, scaled);
        int numExperts = model.numExperts();
        Factor a = new Factor(Values.of(file, tensorOfA), rank, numExperts, swapped ? out : in, true);
        Factor b = new Factor(scaled, rank, numExperts, 0, false);
        String experts = module.substring(0, module.indexOf(EXPERTS)) + ".block_sparse_moe.experts.";
        Map<String, LoraWeights> result = new LinkedHashMap<>();
        for (int e = 0; e < numExperts; e++) {
            if (down) {
                result.put(experts + e + ".w2", weights(a, b, swapped, e, in, 0, out));
            } else {
                result.put(experts + e + ".w1", weights(a, b, swapped, e, in, 0, model.ffnDim()));
                result.put(experts + e + ".w3", weights(a, b, swapped, e, in, model.ffnDim(), model.ffnDim()));
            }
        }
        return result;
    }

    /// With both parameters adapted, PEFT wraps one module around the other: the gate and up inside.
    private String parameter(String module) {
        List<String> named = peft.targetParameters().stream()
                .map(name -> name.substring(name.lastIndexOf('.') + 1))
                .filter(name -> name.equals(GATE_UP) || name.equals(DOWN))
                .distinct()
                .toList();
        if (named.size() == 1) {
            return named.getFirst();
        }
        return module.endsWith(INNER) ? GATE_UP : DOWN;
    }

    private boolean isSwapped(String name, Tensor a, Tensor b, int rank, int in, int out) {
        long[] shapeOfA = a.shape();
        long[] shapeOfB = b.shape();
        int numExperts = config == null ? 0 : config.numExperts();
        long rows = (long) rank * numExperts;
        if (shapeOfA.length == 2 && shapeOfB.length == 2 && shapeOfA[0] == rows && shapeOfB[1] == rows) {
            if (shapeOfA[1] == in && shapeOfB[0] == out) {
                return false;
            }
            if (shapeOfA[1] == out && shapeOfB[0] == in) {
                return true;
            }
        }
        throw new ModelFormatException(
                file,
                name + ": A of [" + rows + ", " + in + "] and B of [" + out + ", " + rows + "] expected for "
                        + numExperts + " experts of rank " + rank + ", got " + Arrays.toString(shapeOfA) + " and "
                        + Arrays.toString(shapeOfB));
    }

    /// Returns the adapter of rows `[from, from + out)` of an expert.
    private static LoraWeights weights(Factor a, Factor b, boolean swapped, int e, int in, int from, int out) {
        int rank = a.rank();
        float[] ofInputs = new float[Math.multiplyExact(rank, in)];
        float[] ofOutputs = new float[Math.multiplyExact(out, rank)];
        Factor inputs = swapped ? b : a;
        Factor outputs = swapped ? a : b;
        for (int k = 0; k < rank; k++) {
            for (int i = 0; i < in; i++) {
                ofInputs[k * in + i] = inputs.get(e, k, i);
            }
            for (int i = 0; i < out; i++) {
                ofOutputs[i * rank + k] = outputs.get(e, k, from + i);
            }
        }
        return new LoraWeights(rank, in, out, ofInputs, ofOutputs, null);
    }
}
