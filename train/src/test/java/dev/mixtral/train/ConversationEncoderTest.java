package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import dev.mixtral.train.corpus.CorpusGenerator;
import dev.mixtral.train.corpus.Example;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ConversationEncoderTest {
    private static final float PROMPT_WEIGHT = 0.25f;

    private final Tokenizer tokenizer = Tokenizers.of(BpeTrainer.bytesOnly());
    private final ConversationEncoder encoder = new ConversationEncoder(tokenizer, PROMPT_WEIGHT);

    @Test
    void beginsWithThePromptThatInferenceWillGive() {
        for (Example example : examples().filter(e -> !e.isText()).limit(300).toList()) {
            int[] prompt = encoder.prompt(example.prompt(), example.tools());
            assertThat(Arrays.copyOf(encoder.segment(example).ids(), prompt.length))
                    .as("%s", example)
                    .isEqualTo(prompt);
        }
    }

    @Test
    void countsTheWholeAnswerAndItsEnd() {
        for (Example example : examples().filter(e -> !e.isText()).limit(300).toList()) {
            Segment segment = encoder.segment(example);
            int promptLength = encoder.prompt(example.prompt(), example.tools()).length;
            for (int i = promptLength; i < segment.length(); i++) {
                assertThat(segment.weights()[i]).isEqualTo(1);
            }
            assertThat(segment.weights()[promptLength - 1]).isEqualTo(PROMPT_WEIGHT);
            assertThat(segment.ids()[segment.length() - 1]).isEqualTo(tokenizer.eosId());
            assertThat(segment.weights()[0]).isZero();
        }
    }

    @Test
    void countsEarlierAnswersOnlyWhereTheirPromptIsWhole() {
        Example plain = first(
                e -> e.skill().equals("conversation") && encoder.segment(e).continuable());
        Example withTools = first(e -> !e.tools().isEmpty() && userTurns(e) > 1);
        assertThat(answersThatCount(encoder.segment(plain))).isGreaterThan(1);
        int lastInstruction = lastIndex(encoder.segment(withTools).ids(), control("[INST]"));
        for (int i = 1; i < lastInstruction; i++) {
            assertThat(encoder.segment(withTools).weights()[i]).isEqualTo(PROMPT_WEIGHT);
        }
    }

    @Test
    void countsEveryTokenOfPlainText() {
        Segment segment = encoder.segment(first(Example::isText));
        assertThat(segment.ids()[0]).isEqualTo(tokenizer.bosId());
        for (int i = 1; i < segment.length(); i++) {
            assertThat(segment.weights()[i]).isEqualTo(1);
        }
    }

    private int answersThatCount(Segment segment) {
        int answers = 0;
        for (int i = 0; i < segment.length(); i++) {
            if (segment.ids()[i] == tokenizer.eosId() && segment.weights()[i] == 1) {
                answers++;
            }
        }
        return answers;
    }

    private int control(String piece) {
        return tokenizer.controlId(piece).orElseThrow();
    }

    private static int lastIndex(int[] ids, int id) {
        int last = -1;
        for (int i = 0; i < ids.length; i++) {
            last = ids[i] == id ? i : last;
        }
        return last;
    }

    private static long userTurns(Example example) {
        return example.messages().stream()
                .filter(dev.mixtral.chat.UserMessage.class::isInstance)
                .count();
    }

    private static Example first(java.util.function.Predicate<Example> condition) {
        return examples().filter(condition).findFirst().orElseThrow();
    }

    private static Stream<Example> examples() {
        return new CorpusGenerator(11).stream();
    }

    static List<Example> some(int n) {
        return examples().limit(n).toList();
    }
}
