package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.MixtralException;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraWeights;
import dev.mixtral.lora.PeftFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs from files to files on the embedded model.
@Tag("pytorch")
class FinetuningTest {
    @TempDir
    private Path folder;

    private Path data = Path.of("");
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @BeforeEach
    void writeData() {
        data = Tickets.write(folder.resolve("tickets.jsonl"), Tickets.some(120, 1));
    }

    private FinetuneConfig config(String... keysAndValues) {
        Map<String, List<String>> given = new HashMap<>(Map.of(
                "data", List.of(data.toString()),
                "rank", List.of("4"),
                "sequence-length", List.of("128"),
                "epochs", List.of("1"),
                "batch-size", List.of("4"),
                "max-steps", List.of("6"),
                "eval-every", List.of("2"),
                "checkpoint-every", List.of("2"),
                "dropout", List.of("0.1"),
                "threads", List.of("2")));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            given.put(keysAndValues[i], List.of(keysAndValues[i + 1]));
        }
        return FinetuneConfig.of(given);
    }

    private boolean train(Path out, boolean resume, String... keysAndValues) {
        PrintStream stream = new PrintStream(printed, true, StandardCharsets.UTF_8);
        try (Finetuning finetuning = new Finetuning(TinyModel.EMBEDDED, config(keysAndValues), stream, false)) {
            return finetuning.train(out, resume);
        }
    }

    private String printed() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    private static void assertSame(Path actual, Path expected) {
        LoraAdapter a = PeftFolder.read(actual);
        LoraAdapter b = PeftFolder.read(expected);
        assertThat(a.modules().keySet()).isEqualTo(b.modules().keySet()).isNotEmpty();
        a.modules().forEach((name, weights) -> {
            LoraWeights other = java.util.Objects.requireNonNull(b.modules().get(name));
            assertThat(weights.a()).as(name).isEqualTo(other.a());
            assertThat(weights.b()).as(name).isEqualTo(other.b());
        });
    }

    @Test
    void leavesAnAdapterALogAReportAndEvents() throws IOException {
        Path out = folder.resolve("out");
        assertThat(train(out, false)).isTrue();
        LoraAdapter adapter = PeftFolder.read(out);
        assertThat(adapter.config().rank()).isEqualTo(4);
        assertThat(adapter.config().targetModules()).containsExactly("k_proj", "o_proj", "q_proj", "v_proj");
        assertThat(adapter.modules()).hasSize(16);
        assertThat(Files.readAllLines(out.resolve("log.jsonl"))).hasSize(6);
        assertThat(Files.readString(out.resolve("report.html"))).contains("evaluation");
        assertThat(Files.readString(out.resolve("finetune.yaml"))).contains("rank: 4");
        assertThat(PeftFolder.read(out.resolve("best")).modules()).hasSize(16);
        try (var files = Files.list(out)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .anyMatch(name -> name.startsWith("events.out.tfevents."))
                    .noneMatch(name -> name.endsWith(".part"));
        }
        assertThat(printed())
                .containsPattern("trainable: [0-9,]+ parameters")
                .containsPattern("step 6/6  loss [0-9.]+  eval [0-9.]+  lr [0-9.e-]+  [0-9,]+ tok/s  experts");
    }

    @Test
    void aRunInAFolderIsNotOverwritten() {
        Path out = folder.resolve("out");
        train(out, false, "max-steps", "1");
        assertThatThrownBy(() -> train(out, false, "max-steps", "1"))
                .isInstanceOf(MixtralException.class)
                .hasMessageContaining("holds a run already");
        assertThatThrownBy(() -> train(out, true, "max-steps", "2"))
                .isInstanceOf(MixtralException.class)
                .hasMessageContaining("belongs to another run");
        try (RunFolder _ = RunFolder.open(out, true)) {
            assertThatThrownBy(() -> train(out, true, "max-steps", "1")).hasMessageContaining("another run writes to");
        }
    }

    @Test
    void badDataAreNamedAndNotTrainedOn() throws IOException {
        Files.writeString(data, Files.readString(data) + "\n{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n");
        assertThatThrownBy(() -> train(folder.resolve("out"), false))
                .isInstanceOf(MixtralException.class)
                .hasMessageContaining("1 of 121 examples have faults, so nothing was trained");
        assertThat(printed()).contains("tickets.jsonl:121: messages[0]: the last message must be the assistant's");
        assertThat(folder.resolve("out")).doesNotExist();
        assertThat(train(folder.resolve("out"), false, "skip-bad", "true", "max-steps", "1"))
                .isTrue();
        assertThat(printed()).contains("training WITHOUT these 1 examples");
    }

    @Test
    void whatCannotFitIsRefusedBeforeAnythingIsLoaded() {
        assertThatThrownBy(() -> train(folder.resolve("out"), false, "memory-gib", "0.1"))
                .isInstanceOf(MixtralException.class)
                .hasMessageContaining("GiB of memory");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void aDryRunTellsAndLeavesNothing() {
        PrintStream stream = new PrintStream(printed, true, StandardCharsets.UTF_8);
        try (Finetuning finetuning = new Finetuning(TinyModel.EMBEDDED, config(), stream, false)) {
            finetuning.dryRun();
        }
        assertThat(printed())
                .containsPattern("trainable: [0-9,]+ parameters")
                .containsPattern("memory: about [0-9.]+ GiB")
                .containsPattern("time: about 0:0\\d min for 6 steps");
    }

    @Test
    void streamedWeightsTrainTheSameAdapter() {
        train(folder.resolve("decoded"), false, "dropout", "0");
        train(folder.resolve("streamed"), false, "dropout", "0", "weights", "streamed");
        LoraAdapter expected = PeftFolder.read(folder.resolve("decoded"));
        PeftFolder.read(folder.resolve("streamed")).modules().forEach((name, weights) -> {
            LoraWeights other =
                    java.util.Objects.requireNonNull(expected.modules().get(name));
            for (int i = 0; i < weights.b().length; i++) {
                assertThat(weights.b()[i]).isCloseTo(other.b()[i], org.assertj.core.api.Assertions.within(2e-4f));
            }
        });
    }

    @Test
    void earlyStopEndsARunThatGetsNoBetter() {
        assertThat(train(
                        folder.resolve("out"),
                        false,
                        "learning-rate",
                        "0.9",
                        "final-rate",
                        "1",
                        "eval-every",
                        "1",
                        "early-stop",
                        "1"))
                .isTrue();
        assertThat(printed()).contains("stopped early");
    }

    @Test
    void allWeightsCanBeTrained() {
        Path out = folder.resolve("out");
        assertThat(train(out, false, "method", "full", "max-steps", "2")).isTrue();
        assertThat(out.resolve("model.safetensors")).isNotEmptyFile();
        assertThat(out.resolve("config.json")).isNotEmptyFile();
        assertThat(out.resolve("tokenizer.model")).isNotEmptyFile();
    }

    /// The process is killed at moments of its own choosing, some of them while a checkpoint is being written: with
    /// one after each step, that is what it does much of the time.
    @Test
    void aKilledRunContinuesToTheSameBits() throws Exception {
        Path expected = folder.resolve("expected");
        train(expected, false, "checkpoint-every", "1");
        Path out = folder.resolve("killed");
        int kills = 0;
        for (int lines = 1; lines <= 5; lines += 2) {
            kills += runUntil(out, lines, kills > 0) ? 1 : 0;
            Files.createFile(out.resolve(".checkpoint.bin." + lines + ".part"));
        }
        assertThat(kills).isPositive();
        assertThat(train(out, true, "checkpoint-every", "1")).isTrue();
        assertSame(out, expected);
        assertThat(Files.readAllLines(out.resolve("log.jsonl"))).hasSize(6);
        try (var files = Files.list(out)) {
            assertThat(files.map(file -> file.getFileName().toString())).noneMatch(name -> name.endsWith(".part"));
        }
    }

    /// Runs in a process of its own until the log has so many lines, and kills it.
    private boolean runUntil(Path out, int lines, boolean resume) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "-Dmixtral.home=" + System.getProperty("mixtral.home", ".."),
                "-cp",
                System.getProperty("java.class.path"),
                KilledRun.class.getName(),
                data.toString(),
                out.toString(),
                Boolean.toString(resume)));
        Process process = new ProcessBuilder(command).inheritIO().start();
        Path log = out.resolve("log.jsonl");
        while (process.isAlive()
                && (!Files.exists(log) || Files.readAllLines(log).size() < lines)) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        boolean alive = process.isAlive();
        process.destroyForcibly().waitFor();
        return alive;
    }

    /// The run that is killed.
    static final class KilledRun {
        private KilledRun() {}

        public static void main(String[] args) {
            FinetuningTest test = new FinetuningTest();
            test.data = Path.of(args[0]);
            test.train(Path.of(args[1]), Boolean.parseBoolean(args[2]), "checkpoint-every", "1");
        }
    }
}
