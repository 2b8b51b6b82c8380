package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.error.ContextLengthException;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.KernelUnavailableException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.sampling.Sampler;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.tensor.DType;
import dev.mixtral.testing.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The engine on a small random model, whose answers are noise: what counts is that they are the right noise.
class EngineTest {
    private static final int[] PROMPT = {1, 5, 9, 13, 40, 7, 7, 21, 33, 3, 46, 30};

    @TempDir
    private Path folder;

    private Path file = Path.of("");
    private Engine engine;

    @BeforeEach
    void load() {
        file = folder.resolve("model.gguf");
        TestModels.writeGguf(TestModels.random(TestModels.microConfig(), 20), file);
        engine = Engine.load(file, EngineConfig.defaults());
    }

    @AfterEach
    void close() {
        engine.close();
    }

    /// An answer: text, ids, end and log-probabilities.
    private record Answer(String text, int[] ids, Finished end, List<TokenLogprob> logprobs) {}

    private static Answer answer(Engine engine, int[] prompt, SamplingParams params) {
        StringBuilder text = new StringBuilder();
        List<TokenLogprob> logprobs = new ArrayList<>();
        List<Finished> ends = new ArrayList<>();
        try (Generation generation = engine.generate(new GenerationRequest(prompt, params))) {
            for (GenerationEvent event : generation) {
                assertThat(ends).describedAs("nothing follows the end").isEmpty();
                switch (event) {
                    case TextDelta(String delta, List<TokenLogprob> more) -> {
                        text.append(delta);
                        logprobs.addAll(more);
                    }
                    case Started _, Routed _ -> {}
                    case GenerationEvent.ToolCallDelta _, GenerationEvent.ToolCalls _ ->
                        throw new AssertionError("no tools here");
                    case Finished finished -> ends.add(finished);
                }
            }
            assertThat(ends).hasSize(1);
            return new Answer(text.toString(), generation.generatedIds(), ends.getFirst(), logprobs);
        }
    }

    private static SamplingParams.Builder sampled() {
        return SamplingParams.builder().seed(11L).maxTokens(40);
    }

    @Test
    void sameSeedSameBytesWhateverRunsIt() throws Exception {
        Answer expected = answer(engine, PROMPT, sampled().build());
        assertThat(expected.ids().length).isGreaterThan(5);
        // Warm cache: the prompt's keys and values are still there.
        Answer warm = answer(engine, PROMPT, sampled().build());
        assertThat(warm.end().usage().numCachedTokens()).isEqualTo(PROMPT.length - 1);
        assertThat(warm.ids()).containsExactly(expected.ids());
        assertThat(warm.text()).isEqualTo(expected.text());
        for (EngineConfig config : List.of(
                EngineConfig.defaults().withNumThreads(1),
                EngineConfig.defaults().withNumThreads(3),
                EngineConfig.defaults().withMaxNumBatchedTokens(1),
                EngineConfig.defaults().withMaxNumBatchedTokens(5))) {
            try (Engine other = Engine.load(file, config)) {
                assertThat(answer(other, PROMPT, sampled().build()).ids())
                        .describedAs("%s", config)
                        .containsExactly(expected.ids());
            }
        }
        assertThat(answer(engine, PROMPT, sampled().seed(12L).build()).ids()).isNotEqualTo(expected.ids());
    }

    @Test
    void aChatsNextTurnReusesTheCacheWithoutAnEffectOnTheAnswer() {
        Answer first = answer(engine, PROMPT, sampled().build());
        int[] longer = Arrays.copyOf(PROMPT, PROMPT.length + first.ids().length + 3);
        System.arraycopy(first.ids(), 0, longer, PROMPT.length, first.ids().length);
        longer[longer.length - 3] = 17;
        longer[longer.length - 2] = 18;
        longer[longer.length - 1] = 19;
        Answer warm = answer(engine, longer, sampled().build());
        assertThat(warm.end().usage().numCachedTokens()).isGreaterThanOrEqualTo(PROMPT.length);
        try (Engine cold = Engine.load(file, EngineConfig.defaults())) {
            assertThat(answer(cold, longer, sampled().build()).ids()).containsExactly(warm.ids());
        }
    }

    @Test
    void interleavedGenerationsDoNotDisturbEachOther() {
        Answer expected = answer(engine, PROMPT, sampled().build());
        int[] other = {1, 30, 31, 32};
        Answer expectedOther = answer(engine, other, sampled().build());
        try (Generation a =
                        engine.generate(new GenerationRequest(PROMPT, sampled().build()));
                Generation b =
                        engine.generate(new GenerationRequest(other, sampled().build()))) {
            var eventsA = a.iterator();
            var eventsB = b.iterator();
            while (eventsA.hasNext() || eventsB.hasNext()) {
                if (eventsA.hasNext()) {
                    eventsA.next();
                }
                if (eventsB.hasNext()) {
                    eventsB.next();
                }
            }
            assertThat(a.generatedIds()).containsExactly(expected.ids());
            assertThat(b.generatedIds()).containsExactly(expectedOther.ids());
        }
    }

    @Test
    void greedyAnswersAreWhatTheLogitsSay() {
        Answer answer = answer(
                engine,
                PROMPT,
                SamplingParams.greedy().maxTokens(8).topLogprobs(2).build());
        int[] all = Arrays.copyOf(PROMPT, PROMPT.length + answer.ids().length);
        System.arraycopy(answer.ids(), 0, all, PROMPT.length, answer.ids().length);
        float[][] logits = engine.logits(all, true);
        for (int i = 0; i < answer.logprobs().size(); i++) {
            float[] row = logits[PROMPT.length - 1 + i];
            TokenLogprob reported = answer.logprobs().get(i);
            assertThat(reported.id()).isEqualTo(answer.ids()[i]);
            assertThat(reported.logprob()).isCloseTo(row[reported.id()] - Sampler.logSumExp(row), within(1e-9));
            assertThat(reported.top()).hasSize(2);
        }
        assertThat(engine.logits(all, false)[0]).containsExactly(logits[all.length - 1]);
    }

    @Test
    void stopTextsEndTheAnswerBeforeThem() {
        Answer whole = answer(engine, PROMPT, sampled().build());
        String stop = whole.text().substring(5, 8);
        Answer stopped = answer(engine, PROMPT, sampled().stop(List.of(stop)).build());
        assertThat(stopped.text())
                .isEqualTo(whole.text().substring(0, whole.text().indexOf(stop)));
        assertThat(stopped.end().reason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void lengthEndsAreCounted() {
        SamplingParams neverEnd =
                sampled().logitBias(Map.of(2, -1000f)).maxTokens(7).build();
        Answer answer = answer(engine, PROMPT, neverEnd);
        assertThat(answer.end().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(answer.end().usage().numGeneratedTokens()).isEqualTo(7);
        assertThat(answer.end().usage().numPromptTokens()).isEqualTo(PROMPT.length);
        try (Engine small = Engine.load(file, EngineConfig.defaults().withContextLength(15))) {
            SamplingParams unlimited =
                    sampled().logitBias(Map.of(2, -1000f)).maxTokens(0).build();
            assertThat(answer(small, PROMPT, unlimited).ids()).hasSize(3);
        }
    }

    @Test
    void aPromptBeyondTheContextIsAClearError() {
        try (Engine small = Engine.load(file, EngineConfig.defaults().withContextLength(12))) {
            assertThatThrownBy(() -> answer(small, PROMPT, sampled().build()))
                    .isInstanceOf(ContextLengthException.class)
                    .hasMessageContaining("12 tokens")
                    .hasMessageContaining("holds 12");
        }
    }

    @Test
    void impossibleRequestsAreNamed() {
        assertThatThrownBy(() -> answer(engine, new int[0], sampled().build()))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("empty");
        assertThatThrownBy(() -> answer(engine, new int[] {1, 48}, sampled().build()))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("48 is outside the vocabulary of 48");
        assertThatThrownBy(() -> Engine.load(file, EngineConfig.defaults().withContextLength(100_000)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("trained for 256");
        assertThatThrownBy(() -> Engine.load(file, EngineConfig.defaults().withKernels("abacus")))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageContaining("'abacus'")
                .hasMessageContaining("vector, scalar");
    }

    @Test
    void cancellingEndsTheGenerationAndTheEngineLivesOn() {
        Path longFile = folder.resolve("long.gguf");
        TestModels.writeGguf(
                TestModels.random(new MixtralConfig(32, 64, 2, 4, 2, 16, 4, 2, 48, 1e-5f, 1e6, 4096), 20), longFile);
        SamplingParams endless =
                sampled().logitBias(Map.of(2, -1000f)).maxTokens(0).build();
        try (Engine longEngine = Engine.load(longFile, EngineConfig.defaults())) {
            try (Generation generation = longEngine.generate(new GenerationRequest(PROMPT, endless))) {
                GenerationEvent last = new TextDelta("", List.of());
                int events = 0;
                for (GenerationEvent event : generation) {
                    if (++events == 3) {
                        generation.cancel();
                    }
                    last = event;
                }
                assertThat(last).isInstanceOfSatisfying(Finished.class, end -> {
                    assertThat(end.reason()).isEqualTo(FinishReason.ABORTED);
                    // No more than may wait for a reader.
                    assertThat(end.usage().numGeneratedTokens()).isLessThan(Generation.CAPACITY + 10);
                });
            }
            assertThat(answer(longEngine, PROMPT, sampled().build()).ids()).isNotEmpty();
        }
    }

    @Test
    void perplexityIsThatOfTheLogits() {
        int[] ids = {5, 9, 13, 40, 7};
        Perplexity perplexity = Perplexity.measure(engine, ids, 4);
        double sum = 0;
        for (int[] window : new int[][] {{1, 5, 9, 13}, {1, 40, 7}}) {
            float[][] logits = engine.logits(window, true);
            for (int i = 1; i < window.length; i++) {
                sum += Sampler.logSumExp(logits[i - 1]) - logits[i - 1][window[i]];
            }
        }
        assertThat(perplexity.numTokens()).isEqualTo(5);
        assertThat(perplexity.value()).isCloseTo(Math.exp(sum / 5), within(1e-9));
    }

    @Test
    void halfPrecisionKeysAndValuesAreClose() {
        try (Engine half = Engine.load(file, EngineConfig.defaults().withKvType(KvType.F16))) {
            assertThat(half.kvLayout().bytesPerToken())
                    .isEqualTo(engine.kvLayout().bytesPerToken() / 2);
            assertThat(half.logits(PROMPT, false)[0]).containsExactly(engine.logits(PROMPT, false)[0], within(1e-2f));
        }
    }

    @Test
    void eightBitKeysAndValuesAreClose() {
        try (Engine eight = Engine.load(file, EngineConfig.defaults().withKvType(KvType.Q8_0))) {
            assertThat(eight.kvLayout().bytesPerToken())
                    .isLessThan(engine.kvLayout().bytesPerToken() / 3);
            float[] expected = engine.logits(PROMPT, false)[0];
            assertThat(eight.logits(PROMPT, false)[0])
                    .containsExactly(expected, within(0.1f))
                    .isNotEqualTo(expected);
        }
    }

    @Test
    void aModelWithoutTokenizerStillTakesIds() throws IOException {
        Path bare = Files.createDirectories(folder.resolve("bare"));
        TestModels.writeHuggingFace(TestModels.random(TestModels.microConfig(), 20), bare, DType.F32);
        try (Engine engineOfBare = Engine.load(bare, EngineConfig.defaults())) {
            assertThat(engineOfBare.logits(PROMPT, false)[0])
                    .containsExactly(engine.logits(PROMPT, false)[0], within(2e-5f));
            assertThatThrownBy(() -> answer(engineOfBare, PROMPT, sampled().build()))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("has no tokenizer");
        }
    }
}
