package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerTextTest {
    private final Tokenizer tokenizer = Tokenizers.open(
            Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny", "tokenizer.model"));

    @Test
    void anAnswerOfItsOwnLosesTheDummySpace() {
        assertThat(decoded(new AnswerText(tokenizer, List.of(), 0), "the sky")).isEqualTo("the sky");
    }

    @Test
    void aContinuationKeepsItsLeadingSpace() {
        AnswerText text = new AnswerText(tokenizer, List.of(), 0);
        int[] prompt = tokenizer.encode("Why is");
        text.continueFrom(prompt[prompt.length - 1]);
        assertThat(decoded(text, "the sky")).isEqualTo(" the sky");
    }

    @Test
    void aContinuationOfNothingIsATextOfItsOwn() {
        AnswerText text = new AnswerText(tokenizer, List.of(), 0);
        text.continueFrom(tokenizer.bosId());
        assertThat(decoded(text, "the sky")).isEqualTo("the sky");
    }

    private String decoded(AnswerText text, String answer) {
        StringBuilder result = new StringBuilder();
        for (int id : tokenizer.encode(answer)) {
            result.append(text.append(id));
        }
        return result.append(text.finish()).toString();
    }
}
