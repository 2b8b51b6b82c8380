package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.lora.GgufLora;
import dev.mixtral.lora.PeftFolder;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.testing.TestAdapters;
import dev.mixtral.testing.TestModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Adapters chosen per request, on a small random model.
class EngineAdaptersTest {
    private static final MixtralConfig MODEL = TestModels.microConfig();
    private static final int[] PROMPT =
            IntStream.range(0, 100).map(i -> 3 + i * 7 % 45).toArray();
    private static final int NUM_NEW = 30;

    @TempDir
    private Path folder;

    private Engine engine;

    @BeforeEach
    void load() {
        Path file = folder.resolve("model.gguf");
        TestModels.writeGguf(TestModels.random(MODEL, 20), file);
        engine = Engine.load(file, EngineConfig.defaults().withNumThreads(2));
        engine.loadAdapter("one", TestAdapters.ofEverything(MODEL, 4, 1));
        PeftFolder.write(TestAdapters.ofEverything(MODEL, 2, 2), folder.resolve("two"));
        engine.loadAdapter("two", folder.resolve("two"));
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private static GenerationRequest request(String adapter, long seed) {
        SamplingParams params =
                SamplingParams.builder().seed(seed).maxTokens(NUM_NEW).build();
        return new GenerationRequest(PROMPT, params).withAdapter(adapter);
    }

    private static List<Integer> ids(Generation generation) {
        try (generation) {
            generation.forEach(_ -> {});
            return IntStream.of(generation.generatedIds()).boxed().toList();
        }
    }

    @Test
    void requestsOfSeveralAdaptersShareABatchAndNothingElse() {
        List<String> adapters = List.of("", "one", "two");
        List<List<Integer>> alone = new ArrayList<>();
        try (Engine other = Engine.load(
                folder.resolve("model.gguf"),
                EngineConfig.defaults().withNumThreads(1).withPrefixCache(false))) {
            other.loadAdapter("one", TestAdapters.ofEverything(MODEL, 4, 1));
            other.loadAdapter("two", folder.resolve("two"));
            for (int i = 0; i < 12; i++) {
                alone.add(ids(other.generate(request(adapters.get(i % 3), i))));
            }
        }
        for (int round = 0; round < 2; round++) { // the second time with a warm prefix cache
            List<GenerationRequest> requests = IntStream.range(0, 12)
                    .mapToObj(i -> request(adapters.get(i % 3), i))
                    .toList();
            List<List<Integer>> together = engine.generate(requests).stream()
                    .map(EngineAdaptersTest::ids)
                    .toList();
            assertThat(together).isEqualTo(alone);
        }
        assertThat(alone.get(0)).isNotEqualTo(alone.get(1)).isNotEqualTo(alone.get(2));
    }

    @Test
    void keysAndValuesOfAnotherAdapterAreNoPrefix() {
        ids(engine.generate(request("one", 1)));
        long hits = engine.stats().prefixCacheHits();
        ids(engine.generate(request("two", 1)));
        ids(engine.generate(request("", 1)));
        assertThat(engine.stats().prefixCacheHits()).isEqualTo(hits);
        ids(engine.generate(request("one", 1)));
        assertThat(engine.stats().prefixCacheHits()).isEqualTo(hits + PROMPT.length - 1);
    }

    @Test
    void theSameAdapterUnderAnotherNameSharesPrefixes() {
        ids(engine.generate(request("one", 1)));
        long hits = engine.stats().prefixCacheHits();
        engine.loadAdapter("again", TestAdapters.ofEverything(MODEL, 4, 1));
        ids(engine.generate(request("again", 1)));
        assertThat(engine.stats().prefixCacheHits()).isGreaterThan(hits);
        assertThat(engine.fingerprint("again")).isEqualTo(engine.fingerprint("one"));
    }

    @Test
    void theFingerprintNamesTheAdapter() {
        assertThat(List.of(engine.fingerprint(), engine.fingerprint("one"), engine.fingerprint("two")))
                .doesNotHaveDuplicates()
                .allMatch(name -> name.matches("fp_[0-9a-f]{12}"));
        assertThat(engine.fingerprint("")).isEqualTo(engine.fingerprint());
    }

    @Test
    void anAdapterIsTheSameFromEitherFormat() {
        GgufLora.write(TestAdapters.ofEverything(MODEL, 2, 2), MODEL, folder.resolve("two.gguf"));
        engine.loadAdapter("gguf", folder.resolve("two.gguf"));
        float[] fromGguf = engine.logits(PROMPT, false, "gguf")[0];
        assertThat(fromGguf).containsExactly(engine.logits(PROMPT, false, "two")[0], within(1e-5f));
        assertThat(fromGguf).isNotEqualTo(engine.logits(PROMPT, false)[0]);
    }

    @Test
    void anAdapterIsForgottenWhileItGenerates() {
        List<Integer> expected = ids(engine.generate(request("one", 5)));
        Generation running = engine.generate(request("one", 5));
        assertThat(engine.unloadAdapter("one")).isTrue();
        assertThat(engine.unloadAdapter("one")).isFalse();
        assertThat(engine.adapters()).containsExactly("two");
        // Another one of that name is another one.
        engine.loadAdapter("one", TestAdapters.ofEverything(MODEL, 4, 9));
        List<Integer> other = ids(engine.generate(request("one", 5)));
        assertThat(ids(running)).isEqualTo(expected);
        assertThat(other).isNotEqualTo(expected);
    }

    @Test
    void unknownAndTakenNamesAreRefused() {
        assertThatThrownBy(() -> engine.generate(request("three", 1)))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("three")
                .hasMessageContaining("one, two");
        assertThatThrownBy(() -> engine.loadAdapter("one", TestAdapters.ofEverything(MODEL, 1, 1)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("one");
        assertThatThrownBy(() -> engine.loadAdapter(" ", TestAdapters.ofEverything(MODEL, 1, 1)))
                .isInstanceOf(InvalidRequestException.class);
        MixtralConfig other = new MixtralConfig(64, 64, 2, 4, 2, 16, 4, 2, 48, 1e-5f, 1e6, 256);
        assertThatThrownBy(() -> engine.loadAdapter("three", TestAdapters.ofEverything(other, 1, 1)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("q_proj");
        assertThat(engine.adapters()).containsExactly("one", "two");
    }
}
