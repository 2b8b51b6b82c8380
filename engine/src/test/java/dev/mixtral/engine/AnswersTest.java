package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswersTest {
    private static final Tokenizer TOKENIZER =
            Tokenizers.open(Path.of(System.getProperty("mixtral.home"), "models/mixtral-tiny/tokenizer.model"));

    @Test
    void rowsWithoutATokenAreBanned() {
        Answers answers = Answers.of(TOKENIZER, TOKENIZER.vocabSize() + 2, List.of());
        assertThat(answers.bannedIds().get(TOKENIZER.vocabSize() - 1)).isFalse();
        assertThat(answers.bannedIds().get(TOKENIZER.vocabSize())).isTrue();
        assertThat(answers.bannedIds().get(TOKENIZER.vocabSize() + 1)).isTrue();
    }

    @Test
    void aTokenizerOfAnotherModelIsRefused() {
        int vocabSize = TOKENIZER.vocabSize();
        assertThatThrownBy(() -> Answers.of(TOKENIZER, vocabSize - 1, List.of()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(vocabSize + " tokens")
                .hasMessageContaining("vocabulary is " + (vocabSize - 1))
                .hasMessageContaining("another model's");
    }
}
