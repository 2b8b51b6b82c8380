package dev.mixtral.train;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.train.corpus.CorpusGenerator;
import dev.mixtral.train.corpus.Example;
import dev.mixtral.train.corpus.HeldOut;
import dev.mixtral.train.corpus.Scorer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// Scores a model on held-out conversations: greedy answers, skill by skill. Thread-safe if the generator is.
public final class Evaluation {
    private static final int MAX_TOKENS = 160;

    private final ConversationEncoder encoder;
    private final Tokenizer tokenizer;
    private final Scorer scorer = new Scorer();
    private final ObjectMapper json = new ObjectMapper();

    Evaluation(ConversationEncoder encoder, Tokenizer tokenizer) {
        this.encoder = encoder;
        this.tokenizer = tokenizer;
    }

    /// Scores every skill that can be scored.
    ///
    /// @param examplesPerSkill at most; skills with few prompts have fewer
    public List<SkillScore> scores(TextGenerator generator, int examplesPerSkill) {
        List<SkillScore> scores = new ArrayList<>();
        for (String skill : CorpusGenerator.skills()) {
            List<Example> examples = HeldOut.examples(skill, examplesPerSkill).stream()
                    .filter(Example::checkable)
                    .toList();
            if (!examples.isEmpty()) {
                scores.add(score(skill, examples, generator));
            }
        }
        return scores;
    }

    private SkillScore score(String skill, List<Example> examples, TextGenerator generator) {
        List<int[]> prompts = examples.stream()
                .map(example -> encoder.prompt(example.prompt(), example.tools()))
                .toList();
        List<int[]> answers = generator.generateAll(prompts, MAX_TOKENS);
        int correct = 0;
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            Example example = examples.get(i);
            boolean isCorrect = scorer.correct(example, answer(answers.get(i)));
            correct += isCorrect ? 1 : 0;
            samples.add(new Sample(
                    tokenizer.decode(prompts.get(i)),
                    spell(expected(example, prompts.get(i).length)),
                    spell(answers.get(i)),
                    isCorrect));
        }
        return new SkillScore(skill, correct, examples.size(), samples);
    }

    private int[] expected(Example example, int promptLength) {
        int[] ids = encoder.segment(example).ids();
        return Arrays.copyOfRange(ids, promptLength, ids.length);
    }

    private String spell(int[] ids) {
        return tokenizer.decode(ids);
    }

    /// Reads generated ids as a message: tool calls if they begin with the control token, text otherwise.
    private AssistantMessage answer(int[] ids) {
        int toolCalls = tokenizer.controlId("[TOOL_CALLS]").orElse(-1);
        if (ids.length == 0 || ids[0] != toolCalls) {
            return new AssistantMessage(tokenizer.decode(ids));
        }
        try {
            List<ToolCall> calls = new ArrayList<>();
            for (JsonNode call : json.readTree(tokenizer.decode(Arrays.copyOfRange(ids, 1, ids.length)))) {
                calls.add(new ToolCall(
                        null,
                        call.path("name").asString(""),
                        call.path("arguments").toString()));
            }
            return new AssistantMessage(null, calls, false);
        } catch (JacksonException _) {
            return new AssistantMessage(tokenizer.decode(ids));
        }
    }

    /// How one skill went.
    ///
    /// @param correct answers that the skill's check accepts
    /// @param total prompts asked
    /// @param samples all prompts with their answers
    public record SkillScore(String skill, int correct, int total, List<Sample> samples) {}

    /// One prompt with the answer expected and the answer given.
    public record Sample(String prompt, String expected, String actual, boolean correct) {}
}
