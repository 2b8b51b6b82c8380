package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mixtral.chat.Message;
import dev.mixtral.error.AnswerException;
import dev.mixtral.error.GrammarException;
import dev.mixtral.sampling.SamplingParams;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Records from the embedded model, as the documentation shows them.
class RecordGenerationTest {
    private static final Path MODEL = Path.of("..", "models", "mixtral-tiny");

    private static Engine engine;

    @BeforeAll
    static void load() {
        engine = Engine.load(
                MODEL, EngineConfig.defaults().withContextLength(512).withNumThreads(1));
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    public enum Day {
        Monday,
        Tuesday,
        Wednesday,
        Thursday,
        Friday,
        Saturday,
        Sunday
    }

    public record Event(String event, String city, Day day, int hour) {}

    public record Checked(int hour) {
        public Checked {
            if (hour >= -100) {
                throw new IllegalArgumentException("no hour is early enough");
            }
        }
    }

    public record Untyped(Object anything) {}

    private static GenerationRequest request(String text, int maxTokens) {
        SamplingParams params = SamplingParams.greedy().maxTokens(maxTokens).build();
        return engine.chat(List.of(Message.user(text)), List.of(), params);
    }

    @Test
    void theAnswerIsTheRecord() {
        Event event = engine.generate(
                request(
                        "Do not forget the exam: Tuesday, 2 o'clock, Venice.\n"
                                + "Give me event, city, day and hour as JSON.",
                        80),
                Event.class);
        assertThat(event).isEqualTo(new Event("exam", "Venice", Day.Tuesday, 2));
    }

    @Test
    void anAnswerThatIsCutIsNoRecord() {
        AnswerException failure = catchThrowableOfType(
                AnswerException.class, () -> engine.generate(request("Tell me a story.", 5), Event.class));
        assertThat(failure).hasMessageContaining("cut after 5 tokens");
        assertThat(failure.text()).startsWith("{");
    }

    @Test
    void whatTheConstructorRefusesIsSaid() {
        AnswerException failure = catchThrowableOfType(
                AnswerException.class, () -> engine.generate(request("Tell me a story.", 60), Checked.class));
        assertThat(failure).hasMessageContaining("the answer is no Checked: ").hasMessageContaining("early enough");
    }

    @Test
    void aClassWithoutASchemaIsRefused() {
        GrammarException failure = catchThrowableOfType(
                GrammarException.class, () -> engine.generate(request("Tell me a story.", 60), Untyped.class));
        assertThat(failure).hasMessageStartingWith("Untyped.anything: is java.lang.Object");
    }
}
