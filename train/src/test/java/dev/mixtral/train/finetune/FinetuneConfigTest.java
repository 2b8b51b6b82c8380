package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FinetuneConfigTest {
    private static FinetuneConfig with(String... keysAndValues) {
        Map<String, List<String>> given = new HashMap<>(Map.of("data", List.of("d.jsonl")));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            given.put(keysAndValues[i], List.of(keysAndValues[i + 1]));
        }
        return FinetuneConfig.of(given);
    }

    @Test
    void everyDefaultIsWhatTheDocumentsSay() {
        FinetuneConfig config = with();
        assertThat(config.data()).containsExactly(Path.of("d.jsonl"));
        assertThat(config.evalData()).isEmpty();
        assertThat(config.isFull()).isFalse();
        assertThat(config.rank()).isEqualTo(16);
        assertThat(config.alpha()).isEqualTo(32);
        assertThat(config.rsLora()).isFalse();
        assertThat(config.dora()).isFalse();
        assertThat(config.dropout()).isZero();
        assertThat(config.targets()).containsExactly("attention");
        assertThat(config.sequenceLength()).isEqualTo(1024);
        assertThat(config.packing()).isTrue();
        assertThat(config.batchSize()).isEqualTo(8);
        assertThat(config.gradientAccumulation()).isEqualTo(1);
        assertThat(config.epochs()).isEqualTo(3);
        assertThat(config.maxSteps()).isZero();
        assertThat(config.learningRate()).isEqualTo(2e-4);
        assertThat(config.warmup()).isEqualTo(0.05);
        assertThat(config.finalRate()).isEqualTo(0.1);
        assertThat(config.weightDecay()).isEqualTo(0.01);
        assertThat(config.maxNorm()).isEqualTo(1.0);
        assertThat(config.balanceLoss()).isEqualTo(0.001);
        assertThat(config.evalShare()).isEqualTo(0.05);
        assertThat(config.evalEvery()).isEqualTo(50);
        assertThat(config.earlyStop()).isZero();
        assertThat(config.checkpointEvery()).isEqualTo(100);
        assertThat(config.seed()).isEqualTo(1);
        assertThat(config.threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(config.weights()).isEqualTo(FinetuneConfig.Weights.AUTO);
        assertThat(config.memoryGib()).isZero();
        assertThat(config.skipBad()).isFalse();
        // A setting that is added must be added above as well.
        assertThat(FinetuneKey.values()).hasSize(30);
    }

    @Test
    void everySettingCanBeSet() {
        Map<FinetuneKey, String> others = Map.ofEntries(
                Map.entry(FinetuneKey.DATA, "other.jsonl"),
                Map.entry(FinetuneKey.EVAL_DATA, "e.jsonl"),
                Map.entry(FinetuneKey.METHOD, "full"),
                Map.entry(FinetuneKey.RSLORA, "true"),
                Map.entry(FinetuneKey.DORA, "true"),
                Map.entry(FinetuneKey.PACKING, "false"),
                Map.entry(FinetuneKey.SKIP_BAD, "true"),
                Map.entry(FinetuneKey.TARGETS, "router"),
                Map.entry(FinetuneKey.WEIGHTS, "streamed"),
                Map.entry(FinetuneKey.SEQUENCE_LENGTH, "64"));
        for (FinetuneKey key : FinetuneKey.values()) {
            String value = others.getOrDefault(key, key.defaultText().contains(".") ? "0.25" : "7");
            if (key == FinetuneKey.DROPOUT || key == FinetuneKey.LEARNING_RATE) {
                value = "0.5";
            }
            assertThat(with(key.key(), value).text(key)).as(key.key()).isEqualTo(value);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "rank, 0",
        "rank, x",
        "alpha, NaN",
        "dropout, 1",
        "dora, maybe",
        "sequence-length, 2",
        "batch-size, 0",
        "epochs, 1.5",
        "learning-rate, 0",
        "learning-rate, -1",
        "warmup, 1",
        "final-rate, 2",
        "weights, packed",
        "method, half",
        "memory-gib, -1",
        "early-stop, -1",
        "seed, one",
        "threads, -2",
        "eval-share, 1",
        "max-norm, 0",
        "gradient-accumulation, 0",
        "eval-every, 0",
        "checkpoint-every, 0",
        "weight-decay, -1",
        "balance-loss, -1",
        "max-steps, -1",
        "packing, 1",
        "skip-bad, no",
        "rslora, 0",
    })
    void impossibleValuesAreRefusedByName(String key, String value) {
        assertThatThrownBy(() -> with(key, value))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageStartingWith(key + ": expected ")
                .hasMessageContaining("got '" + value + "'");
    }

    @Test
    void refusesUnknownSettingsAndContradictions() {
        assertThatThrownBy(() -> with("lerning-rate", "1")).hasMessageContaining("there is no setting 'lerning-rate'");
        assertThatThrownBy(() -> FinetuneConfig.of(Map.of())).hasMessageContaining("no files to learn from");
        assertThatThrownBy(() -> with("method", "full", "dora", "true")).hasMessageContaining("method is full");
        assertThatThrownBy(() -> with("method", "full", "weights", "streamed")).hasMessageContaining("must be decoded");
    }

    @Test
    void theDocumentHasARowForEverySetting() throws IOException {
        Path file = Path.of(System.getProperty("mixtral.home", ".."), "docs", "fine-tuning.md");
        String table = Arrays.stream(FinetuneKey.values())
                .map(key -> "| `%s` | %s | %s | %s |%n"
                        .formatted(
                                key.key(),
                                key.defaultText().isEmpty() ? "none" : "`" + key.defaultText() + "`",
                                key.expected(),
                                key.meaning()))
                .collect(Collectors.joining());
        assertThat(Files.readString(file)).contains(table);
    }

    @Test
    void theFileItWritesSaysTheSame() {
        FinetuneConfig config = with("rank", "4", "targets", "attention", "learning-rate", "1e-3");
        assertThat(config.toYaml())
                .contains("data: [\"d.jsonl\"]")
                .contains("rank: 4  # ")
                .contains("targets: [\"attention\"]")
                .contains("learning-rate: 1e-3  # ");
        assertThat(config.toYaml().lines()).hasSameSizeAs(Arrays.asList(FinetuneKey.values()));
    }
}
