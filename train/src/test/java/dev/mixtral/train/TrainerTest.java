package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.testing.FullDisk;
import dev.mixtral.testing.GuardedFiles;
import dev.mixtral.testing.GuardedFiles.Change;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("pytorch")
class TrainerTest {
    private static final MixtralConfig CONFIG = new MixtralConfig(32, 48, 2, 2, 1, 32, 4, 2, 64, 1e-5f, 10_000, 64);
    private static final int STEPS = 4;

    @TempDir
    private Path folder;

    @BeforeAll
    static void oneThread() {
        torch.set_num_threads(1);
    }

    @Test
    void aResumedRunEqualsAnUninterruptedOneBitForBit() {
        float[] whole = train(folder.resolve("whole.bin"), STEPS);
        train(folder.resolve("parts.bin"), 2);
        float[] resumed = train(folder.resolve("parts.bin"), STEPS);
        assertThat(resumed).isEqualTo(whole);
    }

    @Test
    void twoRunsAreEqualBitForBit() {
        assertThat(train(folder.resolve("a.bin"), STEPS)).isEqualTo(train(folder.resolve("b.bin"), STEPS));
    }

    @Test
    void refusesTheCheckpointOfAnotherRun() {
        train(folder.resolve("run.bin"), 1);
        assertThatThrownBy(() -> trainer("another", folder.resolve("run.bin")).resume())
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("belongs to another run");
    }

    @Test
    void refusesADamagedCheckpoint() throws IOException {
        Path file = folder.resolve("run.bin");
        train(file, 1);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2]++;
        Files.write(file, bytes);
        assertThatThrownBy(() -> trainer("test", file).resume())
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("damaged");
    }

    /// With a checkpoint behind every step, the process ends before each change of a file in turn, and in the
    /// middle of each write. What it had written is all that there is from then on, as behind `kill -9`.
    @Test
    void killedAtAnyPointOfAnyCheckpointARunContinuesToTheSameBits() throws IOException {
        float[] whole = train(folder.resolve("whole.bin"), STEPS);
        Death counted = new Death(Integer.MAX_VALUE);
        Path counting = Files.createDirectory(folder.resolve("counted"));
        train(GuardedFiles.guard(counting.resolve("run.bin"), counted), STEPS, 1);
        assertThat(counted.changes).isGreaterThan(STEPS * 6);
        Set<Change> deadly = EnumSet.noneOf(Change.class);
        Set<Integer> resumedAt = new TreeSet<>();
        for (int at = 0; at < counted.changes; at++) {
            Path file = Files.createDirectory(folder.resolve("killed-" + at)).resolve("run.bin");
            Death death = new Death(at);
            assertThatThrownBy(() -> train(GuardedFiles.guard(file, death), STEPS, 1))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasRootCauseMessage(Death.MESSAGE);
            deadly.add(Objects.requireNonNull(death.last));
            try (Trainer trainer = trainer("test", file)) {
                resumedAt.add(trainer.resume());
            }
            assertThat(train(file, STEPS, 1)).describedAs("killed at %s", death).isEqualTo(whole);
        }
        assertThat(deadly).contains(Change.OPEN, Change.WRITE, Change.FORCE, Change.MOVE, Change.DELETE);
        assertThat(resumedAt).containsExactly(0, 1, 2, 3, 4);
    }

    /// What Ctrl-C does when a step is long: it is given up, and what the one before has left is saved.
    @Test
    void savedBesideAStepARunContinuesToTheSameBits() {
        float[] whole = train(folder.resolve("whole.bin"), STEPS);
        Path file = folder.resolve("run.bin");
        try (Trainer trainer = trainer("test", file)) {
            assertThatThrownBy(() -> trainer.run(
                            step -> {
                                if (step == 2) {
                                    assertThat(trainer.saveBeside()).isEqualTo(2);
                                    throw new IllegalStateException("given up");
                                }
                                return batches(step);
                            },
                            // Not yet in the log, so it is no step to continue from.
                            report -> assertThat(trainer.saveBeside()).isZero(),
                            () -> false))
                    .hasMessage("given up");
        }
        try (Trainer trainer = trainer("test", file)) {
            assertThat(trainer.resume()).isEqualTo(2);
            assertThat(trainer.savedStep()).isEqualTo(2);
        }
        assertThat(train(file, STEPS)).isEqualTo(whole);
    }

    @Test
    void aFullDiskLeavesTheLastCheckpoint() throws IOException {
        float[] whole = train(folder.resolve("whole.bin"), STEPS);
        long size = Files.size(folder.resolve("whole.bin"));
        Path disk = Files.createDirectory(folder.resolve("disk"));
        Path file = disk.resolve("run.bin");
        assertThatThrownBy(() -> train(GuardedFiles.guard(file, new FullDisk(size * 5 / 2)), STEPS, 1))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageEndingWith(": " + FullDisk.MESSAGE);
        assertThat(disk).isDirectoryNotContaining("glob:**.part");
        try (Trainer trainer = trainer("test", file)) {
            assertThat(trainer.resume()).isEqualTo(2);
        }
        assertThat(train(file, STEPS)).isEqualTo(whole);
    }

    /// The end of a process: from one change on, none happens any more.
    private static final class Death implements GuardedFiles.Guard {
        static final String MESSAGE = "the process is dead";

        private final int at;
        private int changes;
        private @Nullable Change last;

        /// @param at how many changes happen; if a write comes then, half of it does
        Death(int at) {
            this.at = at;
        }

        @Override
        public int allow(Change change, Path file, int bytes) throws IOException {
            int number = changes++;
            if (number <= at) {
                last = change;
            }
            if (number == at && change == Change.WRITE) {
                return bytes / 2;
            }
            if (number >= at) {
                throw new IOException(MESSAGE);
            }
            return bytes;
        }

        @Override
        public String toString() {
            return "change " + at + ", " + last;
        }
    }

    private float[] train(Path checkpoint, int stopAfter) {
        return train(checkpoint, stopAfter, 0);
    }

    private float[] train(Path checkpoint, int stopAfter, int checkpointSteps) {
        Parameters parameters = new Parameters(CONFIG, 1);
        AtomicInteger budget = new AtomicInteger();
        try (Trainer trainer = new Trainer(settings("test", checkpointSteps), pass(parameters), checkpoint);
                ProgressLog log = log()) {
            int done = trainer.resume();
            budget.set(stopAfter - done);
            trainer.run(TrainerTest::batches, log::report, () -> budget.getAndDecrement() <= 0);
        }
        return Parameters.toArray(parameters.values());
    }

    private Trainer trainer(String identity, Path checkpoint) {
        return new Trainer(settings(identity, 0), pass(new Parameters(CONFIG, 1)), checkpoint);
    }

    private static GradientPass pass(Parameters parameters) {
        return new WholeGraphPass(new TorchMixtral(parameters), 0.02, 1e-4);
    }

    private ProgressLog log() {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        return new ProgressLog(nowhere, folder.resolve("log.jsonl"), 1);
    }

    private static Trainer.Settings settings(String identity, int checkpointSteps) {
        return new Trainer.Settings(
                STEPS,
                2,
                new LearningRate(1e-3, 2, STEPS, 0.1),
                0.1,
                1.0,
                1,
                checkpointSteps,
                Long.MAX_VALUE / 2,
                identity);
    }

    private static List<Batch> batches(int step) {
        SplittableRandom random = new SplittableRandom(step);
        return List.of(new Packer(() -> segment(random), random, 2).pack(4, 64));
    }

    private static Segment segment(SplittableRandom random) {
        int[] ids = random.ints(12, 3, CONFIG.vocabSize()).toArray();
        ids[0] = 1;
        float[] weights = new float[12];
        for (int i = 1; i < 12; i++) {
            weights[i] = i < 6 ? 0.1f : 1;
        }
        return new Segment(ids, weights, true);
    }
}
