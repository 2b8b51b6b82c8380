package dev.mixtral.format.gguf;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tensor.DType;
import java.util.Arrays;
import java.util.stream.Collectors;

/// Numbers of tensor types (`enum ggml_type` of ggml) and their names, so that what cannot be read is refused by
/// name.
final class GgmlTypeNames {
    /// From here on ik_llama.cpp has its own types.
    private static final int FIRST_IK_TYPE = 97;

    private GgmlTypeNames() {}

    /// Returns the type with this number.
    ///
    /// @throws UnsupportedModelException if it is none that this program reads
    static DType require(String file, String tensor, int id) {
        return DType.ofGgmlId(id)
                .orElseThrow(() -> new UnsupportedModelException(
                        file + ": tensor " + tensor + " has type " + describe(id) + ". Supported types: "
                                + Arrays.stream(DType.values()).map(DType::name).collect(Collectors.joining(", "))
                                + ". Use a file quantised to one of these."));
    }

    private static String describe(int id) {
        String name = name(id);
        return name + " (type " + Integer.toUnsignedString(id) + ")"
                + (id >= FIRST_IK_TYPE ? ", which only ik_llama.cpp knows" : "");
    }

    private static String name(int id) {
        return switch (id) {
            case 4 -> "Q4_2 (removed from ggml)";
            case 5 -> "Q4_3 (removed from ggml)";
            case 9 -> "Q8_1";
            case 15 -> "Q8_K";
            case 16 -> "IQ2_XXS";
            case 17 -> "IQ2_XS";
            case 18 -> "IQ3_XXS";
            case 19 -> "IQ1_S";
            case 21 -> "IQ3_S";
            case 22 -> "IQ2_S";
            case 24 -> "I8";
            case 25 -> "I16";
            case 26 -> "I32";
            case 27 -> "I64";
            case 28 -> "F64";
            case 29 -> "IQ1_M";
            case 31 -> "Q4_0_4_4 (removed from ggml)";
            case 32 -> "Q4_0_4_8 (removed from ggml)";
            case 33 -> "Q4_0_8_8 (removed from ggml)";
            case 34 -> "TQ1_0";
            case 35 -> "TQ2_0";
            case 36 -> "IQ4_NL_4_4 (removed from ggml)";
            case 37 -> "IQ4_NL_4_8 (removed from ggml)";
            case 38 -> "IQ4_NL_8_8 (removed from ggml)";
            case 39 -> "MXFP4";
            case 40 -> "NVFP4";
            case 133 -> "Q6_0";
            case 134 -> "IQ1_BN";
            case 135 -> "IQ2_BN";
            case 137 -> "IQ2_K";
            case 138 -> "IQ3_K";
            case 139 -> "IQ4_K";
            case 140 -> "IQ5_K";
            case 141 -> "IQ6_K";
            case 144 -> "IQ4_KS";
            case 145 -> "IQ2_KS";
            case 146 -> "IQ4_KSS";
            default -> "unknown";
        };
    }
}
