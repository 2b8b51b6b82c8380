package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.MixtralException;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraWeights;
import dev.mixtral.lora.PeftFolder;
import dev.mixtral.testing.GuardedFiles;
import dev.mixtral.testing.GuardedFiles.Change;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Runs from files to files on the embedded model.
@Tag("pytorch")
class FinetuningTest {
    private static final String[] LONG_STEPS = {
        "max-steps", "3", "epochs", "8", "gradient-accumulation", "20", "checkpoint-every", "100"
    };

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
        return train(new PrintStream(printed, true, StandardCharsets.UTF_8), out, resume, keysAndValues);
    }

    private boolean train(PrintStream progress, Path out, boolean resume, String... keysAndValues) {
        try (Finetuning finetuning = new Finetuning(TinyModel.EMBEDDED, config(keysAndValues), progress, false)) {
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

    /// Real processes die by `kill -9` where it hurts most: in the middle of the first checkpoint, when there is
    /// no other; between a whole checkpoint and its name; behind that.
    @Test
    void aRunKilledWhileACheckpointIsWrittenContinuesToTheSameBits() throws Exception {
        Path expected = folder.resolve("expected");
        train(expected, false, "checkpoint-every", "1");
        Path out = folder.resolve("killed");
        killAt(out, Change.WRITE, 2, false);
        assertThat(out.resolve("checkpoint.bin")).doesNotExist();
        killAt(out, Change.MOVE, 3, false);
        assertThat(parts(out)).hasSize(1);
        killAt(out, Change.DELETE, 2, true); // the first is of what the second run left
        assertThat(train(out, true, "checkpoint-every", "1")).isTrue();
        assertThat(printed()).contains("continuing after step 3 of 6");
        assertSame(out, expected);
        assertThat(Files.readAllLines(out.resolve("log.jsonl"))).hasSize(6);
        assertThat(parts(out)).isEmpty();
    }

    /// Steps that take seconds, of which the process that gets the signal cannot wait for all.
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void ctrlCLeavesACheckpointToContinueFromToTheSameBits() throws Exception {
        Path expected = folder.resolve("expected");
        train(expected, false, LONG_STEPS);
        Path out = folder.resolve("stopped");
        Process process = start(StoppedRun.class, out.toString());
        Path log = out.resolve("log.jsonl");
        while (process.isAlive() && (!Files.exists(log) || Files.size(log) == 0)) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        assertThat(new ProcessBuilder("kill", "-INT", "" + process.pid())
                        .start()
                        .waitFor())
                .isZero();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(130);
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .containsPattern("stopped; the checkpoint is of step \\d, from which --resume continues");
        assertThat(train(out, true, LONG_STEPS)).isTrue();
        assertSame(out, expected);
        assertThat(Files.readAllLines(out.resolve("log.jsonl"))).hasSize(3);
    }

    /// The run that gets a signal.
    static final class StoppedRun {
        private StoppedRun() {}

        public static void main(String[] args) {
            FinetuningTest test = new FinetuningTest();
            test.data = Path.of(args[0]);
            test.train(System.out, Path.of(args[1]), false, LONG_STEPS);
        }
    }

    private static List<String> parts(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".part"))
                    .toList();
        }
    }

    /// Runs in a process of its own until the checkpoints have been changed in some way so many times, and kills
    /// it right before the last of these.
    private void killAt(Path out, Change change, int count, boolean resume) throws Exception {
        Process process = start(KilledRun.class, out.toString(), change.name(), "" + count, "" + resume);
        String line = process.inputReader().readLine();
        process.destroyForcibly().waitFor();
        assertThat(line).isEqualTo(KilledRun.READY);
    }

    private Process start(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "-Dmixtral.home=" + System.getProperty("mixtral.home", ".."),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                data.toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
    }

    /// The run that is killed: it waits for that at the given place.
    static final class KilledRun {
        static final String READY = "ready to be killed";

        private KilledRun() {}

        public static void main(String[] args) {
            FinetuningTest test = new FinetuningTest();
            test.data = Path.of(args[0]);
            Change awaited = Change.valueOf(args[2]);
            AtomicInteger left = new AtomicInteger(Integer.parseInt(args[3]));
            Path out = GuardedFiles.guard(Path.of(args[1]), (change, file, bytes) -> {
                if (change == awaited && file.toString().contains("checkpoint.bin") && left.decrementAndGet() == 0) {
                    System.out.println(READY);
                    while (true) {
                        LockSupport.park();
                    }
                }
                return bytes;
            });
            test.train(out, Boolean.parseBoolean(args[4]), "checkpoint-every", "1");
        }
    }
}
