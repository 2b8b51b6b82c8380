package dev.mixtral.quantize;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tensor.DType;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// A mix of types for a whole model, by llama.cpp's names: `q4_k_m` is mostly Q4_K, with more bits where they matter
/// most.
///
/// Source: `enum llama_ftype` and `llama_tensor_get_type` of ggml-org/llama.cpp.
public enum Preset {
    /// All F32.
    F32(0, DType.F32),
    /// F16, norms and router F32.
    F16(1, DType.F16),
    /// BF16, norms and router F32.
    BF16(32, DType.BF16),
    /// 8.5 bits.
    Q8_0(7, DType.Q8_0),
    /// 6.6 bits.
    Q6_K(18, DType.Q6_K),
    /// 5.5 bits, some matrices 6.6.
    Q5_K_M(17, DType.Q5_K),
    /// 5.5 bits.
    Q5_K_S(16, DType.Q5_K),
    /// 5.5 bits, without super-blocks.
    Q5_0(8, DType.Q5_0),
    /// 6 bits, without super-blocks.
    Q5_1(9, DType.Q5_1),
    /// 4.5 bits, some matrices 6.6.
    Q4_K_M(15, DType.Q4_K),
    /// 4.5 bits, a few matrices 5.5.
    Q4_K_S(14, DType.Q4_K),
    /// 4.5 bits, without super-blocks.
    Q4_0(2, DType.Q4_0),
    /// 5 bits, without super-blocks.
    Q4_1(3, DType.Q4_1),
    /// 4.5 bits, non-linear.
    IQ4_NL(25, DType.IQ4_NL),
    /// 4.25 bits, non-linear.
    IQ4_XS(30, DType.IQ4_XS),
    /// 3.4 bits: experts 3.3, attention 5.5 to 8.5; all of 8x7B in 18.5 GiB. Not a mix of llama.cpp's.
    NL3(1003, DType.NL3),
    /// 3.4 bits, down projections 5.5.
    Q3_K_L(13, DType.Q3_K),
    /// 3.4 bits, down projections 4.5.
    Q3_K_M(12, DType.Q3_K),
    /// 3.4 bits.
    Q3_K_S(11, DType.Q3_K),
    /// 2.6 bits, down projections 3.4.
    Q2_K(10, DType.Q2_K);

    private final int fileType;
    private final DType base;

    Preset(int fileType, DType base) {
        this.fileType = fileType;
        this.base = base;
    }

    /// Returns the number in `general.file_type`.
    public int fileType() {
        return fileType;
    }

    /// Returns the type of most matrices.
    public DType base() {
        return base;
    }

    /// Returns the bytes that the weights of an untied model take under this preset, without an importance matrix.
    public long weightBytes(MixtralConfig config) {
        return QuantizePlan.weightBytes(config, this);
    }

    /// Returns the preset with this name, in either case.
    public static Optional<Preset> of(String name) {
        return Arrays.stream(values())
                .filter(preset -> preset.name().equalsIgnoreCase(name))
                .findFirst();
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
