package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.train.Evaluation.SkillScore;
import dev.mixtral.train.finetune.ExampleFiles;
import dev.mixtral.train.finetune.FinetuneConfig;
import dev.mixtral.train.finetune.Finetuning;
import dev.mixtral.train.finetune.Tickets;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The embedded model learns a task that is not in its corpus, and keeps what it could do.
@Tag("pytorch")
class NewTaskTest {
    private static final Path MODEL = Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny");
    private static final int NUM_TEST = 60;
    private static final int EXAMPLES_PER_SKILL = 20;
    private static final int MAX_TOKENS = 40;

    @TempDir
    private Path folder;

    @Test
    void learnsToRouteTicketsAndKeepsItsSkills() {
        List<Tickets> test =
                Tickets.without(Tickets.some(1000, 2), ExampleFiles.tickets()).subList(0, NUM_TEST);
        Path adapter = folder.resolve("adapter");
        long start = System.nanoTime();
        PrintStream progress = System.out;
        try (Finetuning finetuning = new Finetuning(MODEL, config(), progress, false)) {
            assertThat(finetuning.train(adapter, false)).isTrue();
        }
        System.out.printf("trained in %.0f s%n", (System.nanoTime() - start) / 1e9);
        try (Engine engine = Engine.load(MODEL, EngineConfig.defaults())) {
            engine.loadAdapter("tickets", adapter);
            Score before = score(engine, "", test);
            Score after = score(engine, "tickets", test);
            System.out.printf("before %s%nafter  %s%n", before, after);
            assertThat(before.task()).isLessThan(0.1);
            assertThat(after.task()).isGreaterThanOrEqualTo(0.95);
            assertThat(after.skills()).isGreaterThanOrEqualTo(before.skills() - 0.02);
        }
    }

    private static FinetuneConfig config() {
        Path examples = Path.of(System.getProperty("mixtral.home", ".."), "examples", "fine-tuning");
        return FinetuneConfig.of(Map.of(
                "data",
                        List.of(
                                examples.resolve("tickets.jsonl").toString(),
                                examples.resolve("keep.jsonl").toString()),
                "targets", List.of("all-linear"),
                "rank", List.of("8"),
                "alpha", List.of("16"),
                "learning-rate", List.of("2e-3"),
                "sequence-length", List.of("512"),
                "batch-size", List.of("2"),
                "epochs", List.of("2"),
                "threads", List.of("2")));
    }

    /// Shares of right answers.
    ///
    /// @param task of the tickets
    /// @param skills mean of the skills that the model was trained for
    private record Score(double task, double skills) {}

    private static Score score(Engine engine, String adapter, List<Tickets> tickets) {
        EngineGenerator generator = new EngineGenerator(engine, null, adapter);
        List<int[]> prompts = tickets.stream()
                .map(ticket ->
                        engine.chatTemplate().render(ticket.prompt(), List.of()).ids())
                .toList();
        List<int[]> answers = generator.generateAll(prompts, MAX_TOKENS);
        int right = 0;
        for (int i = 0; i < answers.size(); i++) {
            String answer = engine.tokenizer().decode(answers.get(i));
            right += answer.equals(tickets.get(i).answer()) ? 1 : 0;
        }
        Evaluation evaluation = new Evaluation(new ConversationEncoder(engine.tokenizer(), 1), engine.tokenizer());
        double skills = evaluation.scores(generator, EXAMPLES_PER_SKILL).stream()
                .mapToDouble(NewTaskTest::share)
                .average()
                .orElseThrow();
        return new Score((double) right / tickets.size(), skills);
    }

    private static double share(SkillScore score) {
        return (double) score.correct() / score.total();
    }
}
