package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.grammar.Grammar;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.sampling.TokenLogprob;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Same model, request and seed give the same bytes, whatever else goes on: a promise of the documentation. On the
/// embedded model, whose answers are no noise.
class DeterminismTest {
    private static final Path MODEL = Path.of("..", "models", "mixtral-tiny");
    private static final EngineConfig CONFIG =
            EngineConfig.defaults().withContextLength(512).withNumThreads(1);
    private static final int NUM_REQUESTS = 17;
    private static final int NUM_NEW = 90;
    private static final JsonMapper JSON = new JsonMapper();

    /// Everything that a reader gets.
    private record Answer(String text, List<Integer> ids, List<TokenLogprob> logprobs, List<String> routing) {}

    private static List<GenerationRequest> requests(Engine engine) {
        return IntStream.range(0, NUM_REQUESTS)
                .mapToObj(i -> request(engine, i))
                .toList();
    }

    /// Prompts of many lengths, some of which begin alike; greedy and drawn, with penalties and without.
    private static GenerationRequest request(Engine engine, int i) {
        String text = "Once upon a time there was a small dog. ".repeat(i % 5 + 1) + "Sentence " + i + ": ";
        int[] ids = engine.tokenizer().encode(text);
        int[] prompt = new int[ids.length + 1];
        prompt[0] = engine.tokenizer().bosId();
        System.arraycopy(ids, 0, prompt, 1, ids.length);
        SamplingParams params = SamplingParams.builder()
                .seed((long) i)
                .temperature(i % 4 == 0 ? 0 : 0.9)
                .topP(i % 3 == 0 ? 0.9 : 1)
                .frequencyPenalty(i % 2)
                .repetitionPenalty(i % 5 == 0 ? 1.2 : 1)
                .logitBias(Map.of(engine.tokenizer().eosId(), -100f))
                .topLogprobs(2)
                .maxTokens(NUM_NEW)
                .build();
        return new GenerationRequest(prompt, params)
                .withClient("client" + i % 3)
                .withRouting(i % 2 == 0)
                .withConstraint(constraint(engine, i));
    }

    /// Most answers are free, some are calls or have the form of a pattern or a schema.
    private static @Nullable OutputConstraint constraint(Engine engine, int i) {
        JsonNode schema = JSON.readTree("""
                {"type":"array","minItems":30,"items":{"type":"object","properties":{"name":{"type":"string",
                "maxLength":12},"age":{"type":"integer","minimum":0,"maximum":99}},"required":["name","age"]}}""");
        Grammar.Calls calls = new Grammar.Calls(List.of(new Grammar.Function("f", schema.get("items"))), 16, "");
        return switch (i % 8) {
            case 1 -> new OutputConstraint.Calls(engine.grammars().compile(calls));
            case 3 ->
                new OutputConstraint.Text(engine.grammars().compile(new Grammar.Regex("([A-Z]?[a-z]+[ .]){200}")));
            case 5 -> new OutputConstraint.Text(engine.grammars().compile(new Grammar.JsonSchema(schema)));
            case 7 -> new OutputConstraint.TextOrCalls(null, engine.grammars().compile(calls));
            default -> null;
        };
    }

    private static Answer read(Generation generation) {
        StringBuilder text = new StringBuilder();
        List<TokenLogprob> logprobs = new ArrayList<>();
        List<String> routing = new ArrayList<>();
        for (GenerationEvent event : generation) {
            switch (event) {
                case Started _, Finished _ -> {}
                case GenerationEvent.ToolCallDelta piece -> text.append(piece.arguments());
                case TextDelta(String delta, List<TokenLogprob> more) -> {
                    text.append(delta);
                    logprobs.addAll(more);
                }
                case GenerationEvent.ToolCalls calls -> text.append(calls);
                case Routed(int position, int id, int[] experts, float[] weights) ->
                    routing.add(position + " " + id + Arrays.toString(experts) + Arrays.toString(weights));
            }
        }
        List<Integer> ids = Arrays.stream(generation.generatedIds()).boxed().toList();
        return new Answer(text.toString(), ids, logprobs, routing);
    }

    /// Answers one after the other, nothing kept in between.
    private static List<Answer> alone(EngineConfig config) {
        try (Engine engine = Engine.load(MODEL, config.withPrefixCache(false))) {
            return requests(engine).stream()
                    .map(request -> read(engine.generate(request)))
                    .toList();
        }
    }

    private static List<Answer> together(Engine engine) throws InterruptedException {
        Map<Integer, Answer> answers = new ConcurrentHashMap<>();
        List<Generation> generations = engine.generate(requests(engine));
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < NUM_REQUESTS; i++) {
            int index = i;
            readers.add(Thread.ofVirtual().start(() -> answers.put(index, read(generations.get(index)))));
        }
        for (Thread reader : readers) {
            reader.join();
        }
        return IntStream.range(0, NUM_REQUESTS).mapToObj(answers::get).toList();
    }

    /// Compares all but the routing of prompt tokens, which is not told where they are cached.
    private static void assertSame(List<Answer> actual, List<Answer> expected) {
        for (int i = 0; i < NUM_REQUESTS; i++) {
            assertThat(actual.get(i).ids())
                    .describedAs("request %d", i)
                    .isEqualTo(expected.get(i).ids());
            assertThat(actual.get(i).text()).isEqualTo(expected.get(i).text());
            assertThat(actual.get(i).logprobs()).isEqualTo(expected.get(i).logprobs());
            List<String> all = expected.get(i).routing();
            int numCached = all.size() - actual.get(i).routing().size();
            assertThat(actual.get(i).routing()).isEqualTo(all.subList(numCached, all.size()));
        }
    }

    @Test
    void answersDependOnTheRequestOnly() throws InterruptedException {
        List<Answer> expected = alone(CONFIG);
        assertThat(expected.getFirst().ids()).hasSize(NUM_NEW);
        assertThat(expected.getFirst().routing()).hasSizeGreaterThan(NUM_NEW);
        try (Engine engine = Engine.load(MODEL, CONFIG.withNumThreads(2))) {
            assertSame(together(engine), expected); // among 16 others, prompts shared as they go
            assertThat(engine.stats().numKvBlocksUsed())
                    .isLessThanOrEqualTo(engine.stats().numKvBlocks());
            long hits = engine.stats().prefixCacheHits();
            assertSame(together(engine), expected); // with a warm prefix cache
            assertThat(engine.stats().prefixCacheHits()).isGreaterThan(hits);
            assertThat(engine.stats().preemptions()).isZero();
        }
        // Blocks for five sequences: preempted and computed again, in other pieces, with and without cached blocks.
        for (boolean prefixCache : new boolean[] {true, false}) {
            EngineConfig scarce =
                    CONFIG.withKvCacheTokens(832).withMaxNumBatchedTokens(24).withPrefixCache(prefixCache);
            try (Engine engine = Engine.load(MODEL, scarce)) {
                assertSame(together(engine), expected);
                assertThat(engine.stats().preemptions()).isPositive();
            }
        }
    }

    @Test
    void equalPromptsShareTheirComputation() {
        try (Engine engine = Engine.load(MODEL, CONFIG)) {
            GenerationRequest request = request(engine, 8);
            int numPrompt = request.prompt().length;
            List<Generation> generations = engine.generate(List.of(request, request, request));
            List<Answer> answers =
                    generations.stream().map(DeterminismTest::read).toList();
            assertThat(answers.get(1).ids()).isEqualTo(answers.get(0).ids());
            assertThat(answers.get(2).ids()).isEqualTo(answers.get(0).ids());
            assertThat(engine.stats().prefixCacheHits()).isEqualTo(2L * (numPrompt - 1));
        }
    }

    @Test
    void enginesInOneJvmShareNothing() {
        try (Engine second = Engine.load(MODEL, CONFIG)) {
            Answer answer;
            try (Engine first = Engine.load(MODEL, CONFIG)) {
                answer = read(first.generate(request(first, 3)));
                assertThat(second.stats().steps()).isZero();
                assertThat(read(second.generate(request(second, 3)))).isEqualTo(answer);
                assertThat(first.fingerprint()).isEqualTo(second.fingerprint()).matches("fp_[0-9a-f]{12}");
            }
            assertThat(read(second.generate(request(second, 3))).ids()).isEqualTo(answer.ids());
        }
    }

    @Test
    void whatAnswersDependOnIsInTheFingerprint() {
        try (Engine usual = Engine.load(MODEL, CONFIG);
                Engine exact = Engine.load(MODEL, CONFIG.withExact(true));
                Engine scalar = Engine.load(MODEL, CONFIG.withKernels("scalar"))) {
            assertThat(List.of(usual.fingerprint(), exact.fingerprint(), scalar.fingerprint()))
                    .doesNotHaveDuplicates();
        }
    }
}
