package dev.mixtral.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.quantize.TypeRules.Role;
import dev.mixtral.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The mixes of types.
class TypeRulesTest {
    private static final MixtralConfig MIXTRAL_8X7B =
            new MixtralConfig(4096, 14336, 32, 32, 8, 128, 8, 2, 32000, 1e-5f, 1e6, 32768);

    private static final MixtralConfig MISTRAL_7B =
            new MixtralConfig(4096, 14336, 32, 32, 8, 128, 1, 1, 32000, 1e-5f, 1e4, 32768);

    /// Sizes of published files (the same mixes, as cards of quantised Mixtrals list them), in 10^9 bytes.
    @ParameterizedTest
    @CsvSource({
        "Q2_K, 17.31",
        "Q3_K_S, 20.43",
        "Q3_K_M, 22.55",
        "Q3_K_L, 24.17",
        "IQ4_XS, 25.37",
        "Q4_0, 26.44",
        "Q4_K_S, 26.74",
        "IQ4_NL, 26.74",
        "Q4_K_M, 28.45",
        "Q4_1, 29.34",
        "Q5_0, 32.23",
        "Q5_K_S, 32.23",
        "Q5_K_M, 33.23",
        "Q5_1, 35.12",
        "Q6_K, 38.38",
        "Q8_0, 49.63",
        "F16, 93.41",
        "BF16, 93.41"
    })
    void mixtral8x7bHasTheSizeOfLlamaCppsFiles(Preset preset, double gigabytes) {
        assertThat(preset.weightBytes(MIXTRAL_8X7B) / 1e9).isEqualTo(gigabytes, within(0.006));
    }

    @Test
    void q4KmGivesMoreBitsWhereTheyMatter() {
        TypeRules rules = new TypeRules(Preset.Q4_K_M, MIXTRAL_8X7B, false, false);

        assertThat(rules.choose(Role.ROUTER, 3, 4096).type()).isEqualTo(DType.F32);
        assertThat(rules.choose(Role.KEY, 3, 4096).type()).isEqualTo(DType.Q8_0);
        assertThat(rules.choose(Role.ATTENTION_OUTPUT, 3, 4096).type()).isEqualTo(DType.Q5_K);
        assertThat(rules.choose(Role.DOWN, 3, 14336).type()).isEqualTo(DType.Q6_K);
        assertThat(rules.choose(Role.DOWN, 4, 14336).type()).isEqualTo(DType.Q4_K);
        assertThat(rules.choose(Role.OUTPUT, 0, 4096).type()).isEqualTo(DType.Q6_K);
    }

    @Test
    void aDenseModelHasRulesOfItsOwn() {
        TypeRules rules = new TypeRules(Preset.Q4_K_M, MISTRAL_7B, false, false);

        assertThat(rules.choose(Role.KEY, 3, 4096).type()).isEqualTo(DType.Q4_K);
        assertThat(rules.choose(Role.VALUE, 3, 4096).type()).isEqualTo(DType.Q6_K);
        assertThat(rules.choose(Role.VALUE, 4, 4096).type()).isEqualTo(DType.Q4_K);
        assertThat(rules.choose(Role.ATTENTION_OUTPUT, 3, 4096).type()).isEqualTo(DType.Q4_K);
    }

    @Test
    void aTiedEmbeddingIsAnOutput() {
        TypeRules rules = new TypeRules(Preset.Q4_0, MISTRAL_7B, true, false);

        assertThat(rules.choose(Role.EMBEDDING, 0, 4096).type()).isEqualTo(DType.Q6_K);
    }

    @ParameterizedTest
    @CsvSource({
        "Q4_K, 192, Q5_0",
        "Q5_K, 192, Q5_1",
        "Q6_K, 192, Q8_0",
        "Q3_K, 192, IQ4_NL",
        "Q2_K, 192, IQ4_NL",
        "IQ4_XS, 192, IQ4_NL",
        "Q4_0, 192, Q4_0",
        "Q4_0, 48, F16",
        "Q4_K, 48, F16",
        "Q4_K, 512, Q4_K"
    })
    void columnsThatBlocksDoNotDivideGetAnotherType(DType type, int cols, DType expected) {
        assertThat(TypeRules.fitting(type, cols)).isEqualTo(expected);
    }
}
