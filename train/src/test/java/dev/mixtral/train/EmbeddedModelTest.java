package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.engine.Engine;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.Generation;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.train.Evaluation.SkillScore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The trained model that the repository carries, run by the inference engine.
class EmbeddedModelTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path MODEL = Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny");
    private static final int EXAMPLES_PER_SKILL = 8;

    private static final Engine ENGINE = Engine.load(MODEL, EngineConfig.defaults());

    @AfterAll
    static void close() {
        ENGINE.close();
    }

    private static Evaluation evaluation() {
        return new Evaluation(new ConversationEncoder(ENGINE.tokenizer(), 1), ENGINE.tokenizer());
    }

    /// The card's scores are of more prompts, so a skill may do a little worse here, and the sum hardly.
    @Test
    void heldOutScoresAreThoseOfTheCard() {
        JsonNode card = JSON.readTree(MODEL.resolve("scores.json").toFile()).get("skills");
        double expected = 0;
        double actual = 0;
        for (SkillScore score : evaluation().scores(new EngineGenerator(ENGINE, null), EXAMPLES_PER_SKILL)) {
            JsonNode recorded = card.get(score.skill());
            double share = recorded.get("correct").doubleValue()
                    / recorded.get("total").doubleValue();
            double here = (double) score.correct() / score.total();
            System.out.printf(
                    "%s: %d of %d, card %.0f %%%n", score.skill(), score.correct(), score.total(), 100 * share);
            assertThat(here).describedAs(score.skill()).isGreaterThan(share - 0.4);
            expected += share;
            actual += here;
        }
        assertThat(actual).isGreaterThan(expected * 0.93);
    }

    @Test
    void everyExpertIsUsedInEveryLayer() {
        long[][] counts =
                new long[ENGINE.modelConfig().numLayers()][ENGINE.modelConfig().numExperts()];
        int numExpertsPerToken = ENGINE.modelConfig().numExpertsPerToken();
        var generator = new EngineGenerator(ENGINE, routed -> {
            for (int i = 0; i < routed.experts().length; i++) {
                counts[i / numExpertsPerToken][routed.experts()[i]]++;
            }
        });
        evaluation().scores(generator, 1);
        for (long[] layer : counts) {
            long total = Arrays.stream(layer).sum();
            for (long count : layer) {
                assertThat((double) count / total)
                        .describedAs(Arrays.deepToString(counts))
                        .isGreaterThan(0.02);
            }
        }
    }

    @Test
    void answersDependOnTheRequestOnly() {
        int[] prompt = prompt("Translate to German: The cat sleeps in the garden.");
        var params = SamplingParams.builder().seed(5L).maxTokens(60).build();
        String expected = text(ENGINE, prompt, params);
        assertThat(text(ENGINE, prompt, params)).isEqualTo(expected);
        for (EngineConfig config : List.of(
                EngineConfig.defaults().withNumThreads(1),
                EngineConfig.defaults().withNumThreads(3),
                EngineConfig.defaults().withMaxNumBatchedTokens(3))) {
            try (Engine engine = Engine.load(MODEL, config)) {
                assertThat(text(engine, prompt, params))
                        .describedAs("%s", config)
                        .isEqualTo(expected);
            }
        }
    }

    private static int[] prompt(String text) {
        return ENGINE.chatTemplate()
                .render(List.of(Message.user(text)), List.of())
                .ids();
    }

    private static String text(Engine engine, int[] prompt, SamplingParams params) {
        StringBuilder text = new StringBuilder();
        try (Generation generation = engine.generate(new GenerationRequest(prompt, params))) {
            for (GenerationEvent event : generation) {
                text.append(event instanceof TextDelta delta ? delta.text() : "");
            }
        }
        return text.toString();
    }

    @Test
    void aToolIsCalledAndItsResultIsTold() {
        var weather = new ToolDefinition("get_weather", "Weather of a city", JSON.readTree("""
                        {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"""));
        List<Message> messages = new ArrayList<>(List.of(Message.user("What is the weather in Paris?")));
        List<GenerationEvent> events = chat(messages, List.of(weather));
        assertThat(events).hasSize(3);
        assertThat(events.get(0)).isInstanceOf(Started.class);
        assertThat(events.get(1)).isInstanceOfSatisfying(ToolCalls.class, calls -> {
            ToolCall call = calls.calls().getFirst();
            assertThat(call.name()).isEqualTo("get_weather");
            assertThat(JSON.readTree(call.arguments()).get("city").asString()).isEqualTo("Paris");
            assertThat(call.id()).matches("[a-zA-Z0-9]{9}");
        });
        assertThat(events.get(2))
                .isInstanceOfSatisfying(
                        Finished.class, end -> assertThat(end.reason()).isEqualTo(FinishReason.TOOL_CALLS));
    }

    private static List<GenerationEvent> chat(List<Message> messages, List<ToolDefinition> tools) {
        List<GenerationEvent> events = new ArrayList<>();
        var params = SamplingParams.greedy().maxTokens(80).build();
        try (Generation generation = ENGINE.generate(ENGINE.chat(messages, tools, params))) {
            generation.forEach(events::add);
        }
        return events;
    }

    @Test
    void theLastPositionsOfTheContextWork() {
        int length = ENGINE.contextLength() - 64;
        int[] question = prompt("Which language is this? Der Hund schläft.");
        int[] filler = ENGINE.tokenizer().encode("The small dog sleeps in the garden. ".repeat(length / 8));
        int[] prompt = new int[length];
        System.arraycopy(filler, 0, prompt, 0, length - question.length);
        prompt[0] = ENGINE.tokenizer().bosId();
        System.arraycopy(question, 0, prompt, length - question.length, question.length);
        String answer =
                text(ENGINE, prompt, SamplingParams.greedy().maxTokens(20).build());
        assertThat(answer).startsWith("German");
    }
}
