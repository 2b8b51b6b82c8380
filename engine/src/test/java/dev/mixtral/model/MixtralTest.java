package dev.mixtral.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.testing.Seeds;
import dev.mixtral.testing.TestModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The promises of the forward pass, on a small random model.
class MixtralTest {
    private static final int[] PROMPT = {1, 5, 9, 13, 40, 7, 7, 21, 33, 2, 46, 30, 11, 12, 13, 14, 15, 16, 17, 18};

    @TempDir
    private Path folder;

    private final List<AutoCloseable> open = new ArrayList<>();
    private TestModels.TestModel testModel = TestModels.random(TestModels.microConfig(), 1);

    @BeforeEach
    void writeModel() {
        testModel = TestModels.random(TestModels.microConfig(), 20);
        TestModels.writeHuggingFace(testModel, subfolder("hf"), DType.BF16);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable closeable : open.reversed()) {
            closeable.close();
        }
    }

    private Path subfolder(String name) {
        try {
            return Files.createDirectories(folder.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Mixtral model(String name, String kernels, int numThreads) {
        Checkpoint checkpoint = Checkpoints.open(folder.resolve(name));
        ThreadTeam team = new ThreadTeam(numThreads);
        open.add(checkpoint);
        open.add(team);
        return new Mixtral(
                checkpoint.config(),
                checkpoint.ropeLayout(),
                MixtralWeights.of(checkpoint),
                KernelSelector.select(kernels).kernels(),
                team);
    }

    private KvCache cache(MixtralConfig config, KvType type) {
        KvCache cache = new KvCache(new KvLayout(config.numLayers(), config.numKvHeads(), config.headDim(), type));
        open.add(cache);
        return cache;
    }

    private float[] logits(Mixtral model, int... pieces) {
        KvCache cache = cache(model.config(), KvType.F32);
        int from = 0;
        FloatMatrix logits = new FloatMatrix(0, 0);
        for (int piece : pieces) {
            logits = model.forward(Batch.of(cache, Arrays.copyOfRange(PROMPT, from, from + piece), false));
            from += piece;
        }
        return Arrays.copyOf(logits.data(), model.config().vocabSize());
    }

    @Test
    void aPromptInPiecesEqualsThePromptAtOnce() {
        Mixtral model = model("hf", "vector", 2);
        float[] whole = logits(model, 20);
        assertThat(logits(model, 7, 13)).containsExactly(whole);
        assertThat(logits(model, 1, 1, 17, 1)).containsExactly(whole);
        int[] ones = new int[20];
        Arrays.fill(ones, 1);
        assertThat(logits(model, ones)).containsExactly(whole);
    }

    @Test
    void theNumberOfThreadsDoesNotMatter() {
        float[] one = logits(model("hf", "vector", 1), 20);
        assertThat(logits(model("hf", "vector", 2), 20)).containsExactly(one);
        assertThat(logits(model("hf", "vector", 5), 20)).containsExactly(one);
    }

    /// Three chunks of attention, which more threads than KV heads share, and the tiles of rows that a prompt is cut
    /// into.
    @ParameterizedTest
    @EnumSource
    void aLongSequenceIsTheSameOnAnyNumberOfThreads(KvType type) {
        int[] tokens = Seeds.random("long sequence " + type).ints(1_100, 0, 48).toArray();
        int[] pieces = {512, 512, 70, 1, 1, 4};
        float[] expected = lastLogits(model("hf", "vector", 1), type, tokens, pieces);
        for (int numThreads : new int[] {2, 7}) {
            assertThat(lastLogits(model("hf", "vector", numThreads), type, tokens, pieces))
                    .containsExactly(expected);
        }
        assertThat(lastLogits(model("hf", "vector", 7), type, tokens, 1, 1_098, 1))
                .containsExactly(expected);
    }

    private float[] lastLogits(Mixtral model, KvType type, int[] tokens, int... pieces) {
        KvCache cache = cache(model.config(), type);
        FloatMatrix logits = new FloatMatrix(0, 0);
        int from = 0;
        for (int piece : pieces) {
            logits = model.forward(Batch.of(cache, Arrays.copyOfRange(tokens, from, from + piece), false));
            from += piece;
        }
        return Arrays.copyOf(logits.data(), model.config().vocabSize());
    }

    @Test
    void aBatchOfSequencesEqualsTheSequencesAlone() {
        Mixtral model = model("hf", "vector", 2);
        Random random = Seeds.random("batch of sequences");
        KvCache[] caches = new KvCache[5];
        float[][] alone = new float[5][];
        int[] next = new int[5];
        for (int s = 0; s < 5; s++) {
            int[] prompt = random.ints(1 + random.nextInt(30), 0, 48).toArray();
            next[s] = random.nextInt(48);
            KvCache single = cache(model.config(), KvType.F32);
            model.forward(Batch.of(single, prompt, false));
            FloatMatrix logits = model.forward(Batch.of(single, new int[] {next[s]}, false));
            alone[s] = Arrays.copyOf(logits.data(), 48);
            caches[s] = cache(model.config(), KvType.F32);
            model.forward(Batch.of(caches[s], prompt, false));
        }
        int[] positions =
                Arrays.stream(caches).mapToInt(KvCache::numComputedTokens).toArray();
        boolean[] wanted = new boolean[5];
        Arrays.fill(wanted, true);
        FloatMatrix logits = model.forward(new Batch(next, positions, caches, wanted));
        for (int s = 0; s < 5; s++) {
            assertThat(Arrays.copyOfRange(logits.data(), logits.offset(s), logits.offset(s + 1)))
                    .containsExactly(alone[s]);
        }
    }

    @Test
    void vectorKernelsAgreeWithScalarOnes() {
        assertThat(logits(model("hf", "vector", 2), 20))
                .containsExactly(logits(model("hf", "scalar", 2), 20), within(2e-5f));
    }

    @Test
    void everyLayoutOfAModelGivesTheSameLogits() {
        TestModels.writeMistral(testModel, subfolder("mistral"));
        TestModels.writeGguf(testModel, folder.resolve("model.gguf"));
        float[] expected = logits(model("hf", "scalar", 1), 20);
        assertThat(logits(model("mistral", "scalar", 1), 20)).containsExactly(expected, within(1e-5f));
        assertThat(logits(model("model.gguf", "scalar", 1), 20)).containsExactly(expected, within(1e-5f));
    }

    @Test
    void aDenseModelRunsThroughTheSameCode() {
        var config = new MixtralConfig(32, 64, 2, 4, 2, 8, 1, 1, 48, 1e-5f, 1e4, 256);
        TestModels.writeHuggingFace(TestModels.random(config, 3), subfolder("dense"), DType.F32);
        assertThat(logits(model("dense", "vector", 2), 20))
                .containsExactly(logits(model("dense", "scalar", 1), 20), within(2e-5f));
    }

    @Test
    void observersSeeEveryChoice() {
        Mixtral model = model("hf", "vector", 2);
        int topK = model.config().numExpertsPerToken();
        float[][] sums = new float[model.config().numLayers()][PROMPT.length];
        int[] choices = new int[1];
        model.forward(
                Batch.of(cache(model.config(), KvType.F32), PROMPT, false), (layer, row, rank, expert, weight) -> {
                    assertThat(expert).isBetween(0, model.config().numExperts() - 1);
                    assertThat(rank).isBetween(0, topK - 1);
                    sums[layer][row] += weight;
                    choices[0]++;
                });
        assertThat(choices[0]).isEqualTo(PROMPT.length * topK * model.config().numLayers());
        for (float[] layer : sums) {
            for (float sum : layer) {
                assertThat(sum).isCloseTo(1, within(1e-6f));
            }
        }
    }

    @Test
    void routerTiesGoToTheLowerExpert() {
        Router router = new Router(4, 2);
        router.route(new FloatMatrix(new float[] {1, 3, 3, 3, Float.NaN, Float.NaN, Float.NaN, Float.NaN}, 2, 4), 2);
        assertThat(router.expert(0, 0)).isEqualTo(1);
        assertThat(router.expert(0, 1)).isEqualTo(2);
        assertThat(router.weight(0, 0)).isEqualTo(0.5f);
        assertThat(router.expert(1, 0)).isNotEqualTo(router.expert(1, 1));
    }
}
