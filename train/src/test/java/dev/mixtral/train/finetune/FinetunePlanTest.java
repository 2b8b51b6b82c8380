package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.train.finetune.TargetModules.Module;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FinetunePlanTest {
    private static final MixtralConfig PUBLISHED =
            new MixtralConfig(4096, 14336, 32, 32, 8, 128, 8, 2, 32000, 1e-5f, 1e6, 32768);

    private static FinetunePlan plan(String... keysAndValues) {
        Map<String, List<String>> given = new HashMap<>(Map.of("data", List.of("d")));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            given.put(keysAndValues[i], List.of(keysAndValues[i + 1]));
        }
        FinetuneConfig config = FinetuneConfig.of(given);
        List<Module> modules = TargetModules.choose(PUBLISHED, config.targets());
        return FinetunePlan.of(PUBLISHED, config, config.isFull() ? List.of() : modules, 1024, 0.5);
    }

    @Test
    void countsWhatIsTrained() {
        // Attention: per layer (4096 + 4096) + (4096 + 1024) twice + (4096 + 4096), times rank and layers.
        assertThat(plan().trainable()).isEqualTo(16L * 32 * (8192 + 2 * 5120 + 8192));
        assertThat(plan("dora", "true").trainable() - plan().trainable()).isEqualTo(32L * (4096 + 2 * 1024 + 4096));
        assertThat(plan("method", "full").trainable()).isEqualTo(PUBLISHED.numParameters());
    }

    @Test
    void streamsWhatDoesNotFitDecodedAndRefusesWhatDoesNotFitAtAll() {
        assertThat(plan("memory-gib", "1000").streamed()).isFalse();
        FinetunePlan small = plan("memory-gib", "40");
        assertThat(small.streamed()).isTrue();
        assertThatCode(small::requireFits).doesNotThrowAnyException();
        assertThatThrownBy(() -> plan("memory-gib", "2").requireFits())
                .hasMessageContaining("GiB of memory, and there are 2.0")
                .hasMessageContaining("gradient-accumulation");
        assertThatThrownBy(() -> plan("memory-gib", "40", "weights", "decoded").requireFits())
                .hasMessageContaining("or weights: streamed");
        assertThatThrownBy(() -> plan("memory-gib", "400", "method", "full").requireFits())
                .hasMessageContaining("would take about");
    }

    @Test
    void smallerBatchesTakeLess() {
        assertThat(plan("memory-gib", "40", "batch-size", "1").bytes())
                .isLessThan(plan("memory-gib", "40", "batch-size", "4").bytes());
    }
}
