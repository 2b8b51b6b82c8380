package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.train.finetune.TargetModules.Module;
import java.util.List;
import org.junit.jupiter.api.Test;

class TargetModulesTest {
    private static final MixtralConfig SPARSE = new MixtralConfig(32, 48, 2, 4, 2, 8, 4, 2, 64, 1e-5f, 10_000, 64);
    private static final MixtralConfig DENSE = new MixtralConfig(32, 48, 2, 4, 2, 8, 1, 1, 64, 1e-5f, 10_000, 64);

    private static List<String> names(MixtralConfig config, String... words) {
        return TargetModules.choose(config, List.of(words)).stream()
                .map(Module::name)
                .toList();
    }

    @Test
    void groupsHoldTheirMatrices() {
        assertThat(names(SPARSE, "attention")).hasSize(8).allMatch(name -> name.contains(".self_attn."));
        assertThat(names(SPARSE, "experts")).hasSize(24).contains("model.layers.1.block_sparse_moe.experts.3.w2");
        assertThat(names(SPARSE, "router"))
                .containsExactly("model.layers.0.block_sparse_moe.gate", "model.layers.1.block_sparse_moe.gate");
        assertThat(names(SPARSE, "all-linear")).hasSize(34);
        assertThat(names(DENSE, "experts")).hasSize(6).contains("model.layers.0.mlp.up_proj");
        assertThat(names(DENSE, "all-linear")).hasSize(14);
    }

    @Test
    void namesAndPatternsChooseAndAddUp() {
        assertThat(names(SPARSE, "v_proj", "q_proj")).hasSize(4).startsWith("model.layers.0.self_attn.q_proj");
        assertThat(names(SPARSE, "model\\.layers\\.0\\..*")).hasSize(17);
        assertThat(names(SPARSE, "attention", "q_proj")).hasSize(8);
    }

    @Test
    void whatChoosesNothingIsRefused() {
        assertThatThrownBy(() -> names(SPARSE, "atention"))
                .hasMessageContaining("'atention' matches no matrix")
                .hasMessageContaining("q_proj, k_proj, v_proj, o_proj, gate, w1, w3, w2");
        assertThatThrownBy(() -> names(DENSE, "router")).hasMessageContaining("matches no matrix");
        assertThatThrownBy(() -> names(SPARSE, "(")).hasMessageContaining("is no pattern");
    }

    @Test
    void peftGetsLastNamesWhereTheyMeanTheSame() {
        List<Module> attention = TargetModules.choose(SPARSE, List.of("attention"));
        assertThat(TargetModules.peftNames(SPARSE, attention)).containsExactly("k_proj", "o_proj", "q_proj", "v_proj");
        List<Module> firstLayer = TargetModules.choose(SPARSE, List.of("model\\.layers\\.0\\.self_attn\\..*"));
        assertThat(TargetModules.peftNames(SPARSE, firstLayer))
                .contains("model.layers.0.self_attn.q_proj")
                .hasSize(4);
    }

    @Test
    void shapesAreThoseOfTheMatrices() {
        assertThat(TargetModules.all(SPARSE))
                .contains(
                        new Module("model.layers.0.self_attn.q_proj", 32, 32),
                        new Module("model.layers.0.self_attn.k_proj", 16, 32),
                        new Module("model.layers.0.block_sparse_moe.gate", 4, 32),
                        new Module("model.layers.0.block_sparse_moe.experts.0.w1", 48, 32),
                        new Module("model.layers.0.block_sparse_moe.experts.0.w2", 32, 48));
    }
}
