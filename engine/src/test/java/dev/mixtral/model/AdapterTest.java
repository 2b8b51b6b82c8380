package dev.mixtral.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.quantize.ModelPacker;
import dev.mixtral.quantize.ModelQuantizer;
import dev.mixtral.quantize.Preset;
import dev.mixtral.quantize.QuantizeOptions;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.testing.Seeds;
import dev.mixtral.testing.TestAdapters;
import dev.mixtral.testing.TestModels;
import dev.mixtral.testing.TestModels.TestModel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The promises of adapters in the forward pass.
class AdapterTest {
    private static final MixtralConfig MICRO = TestModels.microConfig();
    private static final MixtralConfig DENSE = new MixtralConfig(32, 64, 2, 4, 2, 16, 1, 1, 48, 1e-5f, 1e6, 256);

    /// Wide enough for super-blocks.
    private static final MixtralConfig WIDE = new MixtralConfig(256, 256, 2, 4, 2, 64, 8, 2, 300, 1e-5f, 1e6, 256);

    private static final int[] PROMPT = {1, 5, 9, 13, 40, 7, 7, 21, 33, 2, 46, 30, 11, 12, 13, 14, 15, 16, 17, 18};

    @TempDir
    private Path folder;

    /// A model and everything it stands on.
    private static final class Opened implements AutoCloseable {
        final Checkpoint checkpoint;
        final ThreadTeam team;
        final Arena arena = Arena.ofShared();
        final Mixtral model;

        Opened(Path path, String kernelName, int numThreads) {
            this(path, kernelName, false, numThreads);
        }

        Opened(Path path, String kernelName, boolean exact, int numThreads) {
            checkpoint = Checkpoints.open(path);
            team = new ThreadTeam(numThreads);
            Kernels kernels = KernelSelector.select(kernelName).kernels();
            MixtralWeights weights = MixtralWeights.prepare(checkpoint, kernels, exact, team, arena);
            model = new Mixtral(checkpoint.config(), checkpoint.ropeLayout(), weights, kernels, team);
        }

        Adapter prepare(LoraAdapter adapter) {
            return Adapter.of(LoraDeltas.fit(adapter, checkpoint.config(), checkpoint.ropeLayout()), checkpoint);
        }

        KvCache cache() {
            MixtralConfig config = model.config();
            return new KvCache(new KvLayout(config.numLayers(), config.numKvHeads(), config.headDim(), KvType.F32));
        }

        /// Returns the logits behind every token of the prompt, computed in pieces.
        float[] logits(@Nullable Adapter adapter, int... pieces) {
            List<float[]> rows = new ArrayList<>();
            try (KvCache cache = cache()) {
                int from = 0;
                for (int piece : pieces) {
                    int[] tokens = Arrays.copyOfRange(PROMPT, from, from + piece);
                    FloatMatrix logits = model.forward(Batch.of(cache, tokens, true, adapter));
                    rows.add(Arrays.copyOf(logits.data(), piece * logits.cols()));
                    from += piece;
                }
            }
            return concat(rows);
        }

        @Override
        public void close() {
            team.close();
            arena.close();
            checkpoint.close();
        }
    }

    private static float[] concat(List<float[]> rows) {
        float[] all = new float[rows.stream().mapToInt(row -> row.length).sum()];
        int at = 0;
        for (float[] row : rows) {
            System.arraycopy(row, 0, all, at, row.length);
            at += row.length;
        }
        return all;
    }

    private Path huggingFace(TestModel model, String name) throws IOException {
        Path path = Files.createDirectories(folder.resolve(name));
        TestModels.writeHuggingFace(model, path, DType.BF16);
        return path;
    }

    private Path merged(TestModel model, LoraAdapter adapter) throws IOException {
        Path path = huggingFace(model, "merged");
        SafetensorsWriter.write(path.resolve("model.safetensors"), Map.of(), TestAdapters.merged(model, adapter));
        return path;
    }

    private Path quantized(Preset preset) throws IOException {
        Path file = folder.resolve(preset + ".gguf");
        try (Checkpoint checkpoint = Checkpoints.open(huggingFace(TestModels.random(WIDE, 5), "wide"))) {
            new ModelQuantizer(checkpoint, new QuantizeOptions(file, preset, null, 2, false, false), (_, _, _) -> {})
                    .run();
        }
        return file;
    }

    @ParameterizedTest
    @CsvSource({
        "true, false, vector, false",
        "true, true, vector, true",
        "true, false, scalar, true",
        "false, true, vector, false",
        "false, false, vector, true"
    })
    void appliedEqualsMerged(boolean sparse, boolean gguf, String kernels, boolean dora) throws IOException {
        MixtralConfig config = sparse ? MICRO : DENSE;
        TestModel model = TestModels.random(config, 20);
        LoraConfig lora = new LoraConfig(3, 6, 0, false, dora, List.of(), "");
        LoraAdapter adapter = TestAdapters.random(config, lora, 7, _ -> true);
        Path path = huggingFace(model, "base");
        if (gguf) {
            path = folder.resolve("base.gguf");
            TestModels.writeGguf(model, path);
        }
        try (Opened base = new Opened(path, kernels, 2);
                Opened merged = new Opened(merged(model, adapter), kernels, 2)) {
            float[] expected = merged.logits(null, 20);
            float[] applied = base.logits(base.prepare(adapter), 20);
            assertThat(applied).containsExactly(expected, within(1e-4f));
            // It does something.
            double difference = 0;
            float[] plain = base.logits(null, 20);
            for (int i = 0; i < plain.length; i++) {
                difference = Math.max(difference, Math.abs(plain[i] - applied[i]));
            }
            assertThat(difference).isGreaterThan(0.5);
        }
    }

    /// Each kind of matrix by itself: nothing is left out, and nothing is applied twice.
    @ParameterizedTest
    @ValueSource(strings = {"q_proj", "k_proj", "v_proj", "o_proj", "gate", "w1", "w2", "w3", "lm_head"})
    void everyMatrixByItselfEqualsMerged(String target) throws IOException {
        TestModel model = TestModels.random(MICRO, 21);
        LoraConfig lora = new LoraConfig(2, 6, 0, false, false, List.of(), "");
        LoraAdapter adapter = TestAdapters.random(MICRO, lora, 9, module -> module.endsWith(target));
        try (Opened base = new Opened(huggingFace(model, "base"), "vector", 2);
                Opened merged = new Opened(merged(model, adapter), "vector", 2)) {
            float[] applied = base.logits(base.prepare(adapter), 20);
            assertThat(applied).containsExactly(merged.logits(null, 20), within(1e-4f));
            assertThat(applied).isNotEqualTo(base.logits(null, 20));
        }
    }

    @Test
    void neitherPiecesNorThreadsMatter() throws IOException {
        Path path = huggingFace(TestModels.random(MICRO, 20), "base");
        LoraAdapter adapter = TestAdapters.ofEverything(MICRO, 4, 3);
        try (Opened one = new Opened(path, "vector", 1);
                Opened five = new Opened(path, "vector", 5)) {
            float[] whole = one.logits(one.prepare(adapter), 20);
            assertThat(one.logits(one.prepare(adapter), 7, 1, 12)).containsExactly(whole);
            assertThat(five.logits(five.prepare(adapter), 20)).containsExactly(whole);
            assertThat(five.logits(five.prepare(adapter), 1, 1, 17, 1)).containsExactly(whole);
        }
    }

    /// Rows of two adapters and of none in every batch, in random pieces.
    private static void assertBatchesEqualSequencesAlone(Opened opened, List<@Nullable Adapter> adapters) {
        Random random = Seeds.random("batch with adapters");
        List<float[]> expected = new ArrayList<>();
        List<KvCache> caches = new ArrayList<>();
        List<List<float[]>> rows = new ArrayList<>();
        for (Adapter adapter : adapters) {
            expected.add(opened.logits(adapter, PROMPT.length));
            caches.add(opened.cache());
            rows.add(new ArrayList<>());
        }
        int[] done = new int[adapters.size()];
        while (Arrays.stream(done).anyMatch(n -> n < PROMPT.length)) {
            int[] pieces = new int[done.length];
            for (int i = 0; i < done.length; i++) {
                pieces[i] = Math.min(PROMPT.length - done[i], random.nextInt(6));
            }
            Batch batch = batch(adapters, caches, done, pieces);
            FloatMatrix logits = opened.model.forward(batch);
            int row = 0;
            for (int i = 0; i < done.length; i++) {
                for (int t = 0; t < pieces[i]; t++, row++) {
                    rows.get(i).add(Arrays.copyOfRange(logits.data(), logits.offset(row), logits.offset(row + 1)));
                }
                done[i] += pieces[i];
            }
        }
        for (int i = 0; i < done.length; i++) {
            assertThat(concat(rows.get(i))).describedAs("sequence %d", i).containsExactly(expected.get(i));
        }
        caches.forEach(KvCache::close);
    }

    private static Batch batch(List<@Nullable Adapter> adapters, List<KvCache> caches, int[] done, int[] pieces) {
        int size = Arrays.stream(pieces).sum();
        Batch batch = new Batch(new int[size], new int[size], new KvCache[size], new boolean[size], new Adapter[size]);
        Arrays.fill(batch.wantsLogits(), true);
        int row = 0;
        for (int i = 0; i < pieces.length; i++) {
            for (int t = 0; t < pieces[i]; t++, row++) {
                batch.tokens()[row] = PROMPT[done[i] + t];
                batch.positions()[row] = done[i] + t;
                batch.caches()[row] = caches.get(i);
                batch.adapters()[row] = adapters.get(i);
            }
        }
        return batch;
    }

    private static List<@Nullable Adapter> mixed(Opened opened, MixtralConfig config) {
        List<@Nullable Adapter> adapters = new ArrayList<>();
        adapters.add(opened.prepare(TestAdapters.ofEverything(config, 4, 3)));
        adapters.add(null);
        LoraConfig lora = new LoraConfig(7, 7, 0, false, false, List.of(), "");
        adapters.add(opened.prepare(TestAdapters.random(config, lora, 5, module -> module.endsWith("w2"))));
        adapters.add(opened.prepare(TestAdapters.ofEverything(config, 2, 8)));
        LoraConfig dora = new LoraConfig(3, 6, 0, false, true, List.of(), "");
        adapters.add(opened.prepare(TestAdapters.random(config, dora, 7, _ -> true)));
        return adapters;
    }

    @Test
    void aBatchOfSeveralAdaptersEqualsTheSequencesAlone() throws IOException {
        try (Opened opened = new Opened(huggingFace(TestModels.random(MICRO, 20), "base"), "vector", 2)) {
            assertBatchesEqualSequencesAlone(opened, mixed(opened, MICRO));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_K_M", "Q8_0"})
    void aBatchOnPackedWeightsEqualsTheSequencesAlone(Preset preset) throws IOException {
        try (Opened opened = new Opened(quantized(preset), "vector", 2)) {
            assertBatchesEqualSequencesAlone(opened, mixed(opened, WIDE));
        }
    }

    /// An adapter takes other ways through packed experts: they lead to the same bits.
    @ParameterizedTest
    @EnumSource(names = {"Q4_K_M", "Q8_0"})
    void anAdapterOfZerosChangesNoBit(Preset preset) throws IOException {
        try (Opened opened = new Opened(quantized(preset), "vector", 2)) {
            float[] plain = opened.logits(null, 20);
            assertThat(opened.logits(opened.prepare(TestAdapters.ofNothing(WIDE, 4)), 20))
                    .containsExactly(plain);
        }
    }

    /// On quantised weights the products of the base are rounded, those of the adapter are not. Where rounding sends a
    /// row to another expert, its logits differ by more: that is why the median counts.
    @Test
    void anAdapterOfPackedWeightsIsCloseToTheMergedModel() throws IOException {
        TestModel model = TestModels.random(WIDE, 5);
        LoraAdapter adapter = TestAdapters.ofEverything(WIDE, 4, 3);
        try (Opened base = new Opened(quantized(Preset.Q8_0), "vector", 2);
                Opened merged = new Opened(merged(model, adapter), "vector", 2)) {
            float[] expected = merged.logits(null, 20);
            float[] applied = base.logits(base.prepare(adapter), 20);
            double[] errors = new double[20];
            for (int row = 0; row < errors.length; row++) {
                double difference = 0;
                double squares = 0;
                for (int i = row * WIDE.vocabSize(); i < (row + 1) * WIDE.vocabSize(); i++) {
                    difference += Math.pow(expected[i] - applied[i], 2);
                    squares += Math.pow(expected[i], 2);
                }
                errors[row] = Math.sqrt(difference / squares);
            }
            Arrays.sort(errors);
            assertThat(errors[10]).isLessThan(0.05);
        }
    }

    private static LoraAdapter dora() {
        LoraConfig lora = new LoraConfig(3, 6, 0, false, true, List.of(), "");
        return TestAdapters.random(WIDE, lora, 7, _ -> true);
    }

    /// Computed with 32-bit activations, an adapter of a quantised model is exact, magnitudes included.
    @ParameterizedTest
    @EnumSource(names = {"Q4_K_M", "Q8_0"})
    void magnitudesOfAQuantizedModelEqualTheMergedOne(Preset preset) throws IOException {
        Path quantized = quantized(preset);
        Path merged = folder.resolve("merged.gguf");
        try (Opened base = new Opened(quantized, "vector", true, 2)) {
            LoraDeltas deltas = LoraDeltas.fit(dora(), WIDE, base.checkpoint.ropeLayout());
            new ModelQuantizer(
                            base.checkpoint,
                            new QuantizeOptions(merged, Preset.F32, null, 2, false, false, deltas),
                            (_, _, _) -> {})
                    .run();
            try (Opened whole = new Opened(merged, "vector", true, 2)) {
                float[] applied = base.logits(base.prepare(dora()), 20);
                assertThat(applied).containsExactly(whole.logits(null, 20), within(1e-4f));
            }
        }
    }

    /// Packed matrices lie in panels, an expert's gate and up in turns: their rows are the same.
    @ParameterizedTest
    @EnumSource(names = {"Q4_K_M", "Q8_0"})
    void magnitudesOfAPackedFileAreThoseOfItsSource(Preset preset) throws IOException {
        Path quantized = quantized(preset);
        Path packed = folder.resolve("packed.gguf");
        try (Checkpoint checkpoint = Checkpoints.open(quantized);
                ThreadTeam team = new ThreadTeam(1)) {
            ModelPacker.pack(checkpoint, packed, false, team, (_, _, _) -> {});
        }
        try (Opened source = new Opened(quantized, "vector", 1);
                Opened opened = new Opened(packed, "vector", 2)) {
            float[] expected = source.logits(source.prepare(dora()), 20);
            assertThat(opened.logits(opened.prepare(dora()), 20)).containsExactly(expected);
            assertThat(expected).isNotEqualTo(source.logits(null, 20));
            assertBatchesEqualSequencesAlone(opened, mixed(opened, WIDE));
        }
    }
}
