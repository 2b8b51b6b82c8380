package dev.mixtral.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.MixtralException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.quantize.ModelPacker;
import dev.mixtral.quantize.ModelQuantizer;
import dev.mixtral.quantize.Preset;
import dev.mixtral.quantize.QuantizeOptions;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.testing.Mutations;
import dev.mixtral.testing.Seeds;
import dev.mixtral.testing.TestModels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The promises of the forward pass with packed weights, and packed files.
class PackedModelTest {
    /// Wide enough for super-blocks, and a vocabulary that is no whole number of panels.
    private static final MixtralConfig CONFIG = new MixtralConfig(256, 256, 2, 4, 2, 64, 8, 2, 300, 1e-5f, 1e6, 256);

    /// What packed files are padded to.
    private static final int PADDING = 4096;

    private static final int[] PROMPT = {1, 5, 9, 13, 40, 7, 7, 21, 33, 2, 46, 30, 11, 12, 13, 14, 15, 16, 17, 18};

    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeModel() throws IOException {
        Path source = Files.createDirectory(folder.resolve("hf"));
        TestModels.writeHuggingFace(TestModels.random(CONFIG, 5), source, DType.BF16);
    }

    private static Path quantized(Preset preset) {
        Path file = folder.resolve(preset + ".gguf");
        if (!Files.exists(file)) {
            try (Checkpoint checkpoint = Checkpoints.open(folder.resolve("hf"))) {
                QuantizeOptions options = new QuantizeOptions(file, preset, null, 2, false, false);
                new ModelQuantizer(checkpoint, options, (_, _, _) -> {}).run();
            }
        }
        return file;
    }

    private static Path packed(Preset preset) {
        Path file = folder.resolve(preset + "-packed.gguf");
        try (Checkpoint checkpoint = Checkpoints.open(quantized(preset));
                ThreadTeam team = new ThreadTeam(2)) {
            ModelPacker.pack(checkpoint, file, true, team, (_, _, _) -> {});
        }
        return file;
    }

    /// A model and everything it stands on.
    private static final class Opened implements AutoCloseable {
        final Checkpoint checkpoint;
        final ThreadTeam team;
        final Arena arena = Arena.ofShared();
        final Mixtral model;

        Opened(Path file, String kernelName, boolean exact, int numThreads) {
            checkpoint = Checkpoints.open(file);
            team = new ThreadTeam(numThreads);
            Kernels kernels = KernelSelector.select(kernelName).kernels();
            MixtralWeights weights;
            try {
                weights = MixtralWeights.prepare(checkpoint, kernels, exact, team, arena);
            } catch (RuntimeException e) {
                close();
                throw e;
            }
            model = new Mixtral(checkpoint.config(), checkpoint.ropeLayout(), weights, kernels, team);
        }

        KvCache cache() {
            MixtralConfig config = model.config();
            return new KvCache(new KvLayout(config.numLayers(), config.numKvHeads(), config.headDim(), KvType.F32));
        }

        float[] logits(int... pieces) {
            try (KvCache cache = cache()) {
                int from = 0;
                FloatMatrix logits = new FloatMatrix(0, 0);
                for (int piece : pieces) {
                    logits = model.forward(Batch.of(cache, Arrays.copyOfRange(PROMPT, from, from + piece), false));
                    from += piece;
                }
                return Arrays.copyOf(logits.data(), model.config().vocabSize());
            }
        }

        @Override
        public void close() {
            team.close();
            arena.close();
            checkpoint.close();
        }
    }

    private static float[] logits(Path file, String kernels, boolean exact, int numThreads, int... pieces) {
        try (Opened opened = new Opened(file, kernels, exact, numThreads)) {
            return opened.logits(pieces);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0", "Q5_K_M", "Q4_K_M", "Q6_K", "IQ4_NL", "Q3_K_M", "Q2_K", "NL3"})
    void eightBitActivationsStayCloseToExact(Preset preset) {
        float[] exact = logits(quantized(preset), "vector", true, 2, 20);
        float[] packed = logits(quantized(preset), "vector", false, 2, 20);
        double squares = 0;
        double errors = 0;
        for (int i = 0; i < exact.length; i++) {
            squares += (double) exact[i] * exact[i];
            errors += Math.pow(exact[i] - packed[i], 2);
        }
        double relative = Math.sqrt(errors / squares);
        System.out.printf("%s: logits with 8-bit activations differ by %.4f of their size%n", preset, relative);
        // Not the same bits: that would mean that nothing was packed.
        assertThat(relative).isBetween(1e-6, 0.06);
    }

    @Test
    void aPromptInPiecesEqualsThePromptAtOnce() {
        try (Opened opened = new Opened(quantized(Preset.Q4_K_M), "vector", false, 2)) {
            float[] whole = opened.logits(20);
            assertThat(opened.logits(7, 13)).containsExactly(whole);
            assertThat(opened.logits(1, 1, 17, 1)).containsExactly(whole);
        }
    }

    @Test
    void theNumberOfThreadsDoesNotMatter() {
        float[] one = logits(quantized(Preset.Q4_K_M), "vector", false, 1, 20);
        assertThat(logits(quantized(Preset.Q4_K_M), "vector", false, 3, 20)).containsExactly(one);
    }

    @Test
    void aBatchOfSequencesEqualsTheSequencesAlone() {
        Random random = Seeds.random("packed batch");
        try (Opened opened = new Opened(quantized(Preset.Q4_0), "vector", false, 2);
                KvCache first = opened.cache();
                KvCache second = opened.cache();
                KvCache copy = opened.cache()) {
            int[] prompt = random.ints(1 + random.nextInt(30), 0, 48).toArray();
            int next = random.nextInt(48);
            opened.model.forward(Batch.of(first, prompt, false));
            opened.model.forward(Batch.of(second, new int[] {3, 4, 5}, false));
            opened.model.forward(Batch.of(copy, prompt, false));
            FloatMatrix logits = opened.model.forward(Batch.of(copy, new int[] {next}, false));
            float[] alone = Arrays.copyOf(logits.data(), CONFIG.vocabSize());
            Batch both = new Batch(
                    new int[] {9, next}, new int[] {3, prompt.length}, new KvCache[] {second, first}, new boolean[] {
                        false, true
                    });
            float[] together = Arrays.copyOf(opened.model.forward(both).data(), CONFIG.vocabSize());
            assertThat(together).containsExactly(alone);
        }
    }

    @ParameterizedTest
    @CsvSource({"Q4_K_M, vector", "Q8_0, scalar", "NL3, vector"})
    void aPackedFileGivesTheSameBits(Preset preset, String kernels) {
        float[] fromFile = logits(packed(preset), kernels, false, 2, 20);
        if (kernels.equals("scalar")) {
            // Scalar kernels pack nothing by themselves, and their norms round otherwise.
            assertThat(fromFile).containsExactly(logits(quantized(preset), "vector", false, 2, 20), within(0.05f));
        } else {
            assertThat(fromFile).containsExactly(logits(quantized(preset), kernels, false, 2, 20));
        }
    }

    @Test
    void aPackedFileIsRefusedWhereExactResultsAreWanted() {
        Path file = packed(Preset.Q8_0);
        assertThatThrownBy(() -> new Opened(file, "vector", true, 1))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("packed");
    }

    @Test
    void aPackedFileIsNotQuantisedAgain() {
        Path out = folder.resolve("never-quantised.gguf");
        QuantizeOptions options = new QuantizeOptions(out, Preset.Q4_0, null, 1, false, false);
        try (Checkpoint checkpoint = Checkpoints.open(packed(Preset.Q8_0))) {
            assertThatThrownBy(() -> new ModelQuantizer(checkpoint, options, (_, _, _) -> {}))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageContaining("packed");
        }
    }

    @Test
    void anExpertWhoseColumnsNoBlockDividesStaysPlainBesidePackedMatrices() throws IOException {
        MixtralConfig config = new MixtralConfig(256, 80, 1, 4, 2, 64, 4, 2, 300, 1e-5f, 1e6, 256);
        Path source = Files.createDirectory(folder.resolve("odd"));
        TestModels.writeHuggingFace(TestModels.random(config, 6), source, DType.BF16);
        Path file = folder.resolve("odd.gguf");
        try (Checkpoint checkpoint = Checkpoints.open(source)) {
            QuantizeOptions options = new QuantizeOptions(file, Preset.Q8_0, null, 2, false, false);
            new ModelQuantizer(checkpoint, options, (_, _, _) -> {}).run();
        }
        float[] exact = logits(file, "vector", true, 2, 20);
        float[] packed = logits(file, "vector", false, 2, 20);
        assertThat(packed).containsExactly(exact, within(0.2f));
        assertThat(packed).isNotEqualTo(exact);
    }

    @Test
    void onlyQuantisedModelsThatAreNotPackedAreAccepted() {
        Path file = packed(Preset.Q8_0);
        for (Path source : new Path[] {file, folder.resolve("hf")}) {
            try (Checkpoint checkpoint = Checkpoints.open(source);
                    ThreadTeam team = new ThreadTeam(1)) {
                Path out = folder.resolve("never.gguf");
                assertThatThrownBy(() -> ModelPacker.pack(checkpoint, out, false, team, (_, _, _) -> {}))
                        .isInstanceOf(InvalidRequestException.class);
                assertThat(out).doesNotExist();
            }
        }
    }

    @Test
    void aDamagedPackedFileIsRefused() throws IOException {
        byte[] bytes = Files.readAllBytes(packed(Preset.Q4_0));
        Random random = Seeds.random("damaged packed file");
        Path damaged = folder.resolve("damaged.gguf");
        int refused = 0;
        for (int i = 0; i < 40; i++) {
            byte[] changed = bytes.clone();
            // Behind the vocabulary lie nearly only packed matrices.
            changed[bytes.length / 2 + random.nextInt(bytes.length / 4)] ^= (byte) (1 << random.nextInt(8));
            Files.write(damaged, changed, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
            try (Opened opened = new Opened(damaged, "scalar", false, 1)) {
                assertThat(opened.model).isNotNull(); // a bit between two matrices
            } catch (ModelFormatException e) {
                assertThat(e).hasMessageContaining("checksum");
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(30);
    }

    @Test
    void aCutOrChangedHeaderNeverCrashes() throws IOException {
        byte[] bytes = Files.readAllBytes(packed(Preset.Q4_0));
        Path broken = folder.resolve("broken.gguf");
        Mutations.mutate(bytes, 16_000, 1_000, changed -> openChanged(broken, changed));
        Random random = Seeds.random("cut packed file");
        for (int i = 0; i < 100; i++) {
            // Nothing is lost with the padding at the end.
            byte[] cut = Arrays.copyOf(bytes, random.nextInt(bytes.length - PADDING));
            assertThatThrownBy(() -> openChanged(broken, cut)).isInstanceOf(MixtralException.class);
        }
    }

    private static void openChanged(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
        new Opened(file, "scalar", false, 1).close();
    }
}
