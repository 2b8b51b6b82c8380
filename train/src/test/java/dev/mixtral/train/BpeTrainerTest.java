package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.tokenizer.Piece;
import dev.mixtral.tokenizer.PieceType;
import dev.mixtral.tokenizer.SentencePieceModel;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.TokenizerVersion;
import dev.mixtral.tokenizer.Tokenizers;
import dev.mixtral.train.corpus.CorpusGenerator;
import dev.mixtral.train.corpus.Example;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class BpeTrainerTest {
    private static final int FIRST_NORMAL = 270;

    @Test
    void learnsTheMostFrequentPairsFirst() {
        BpeTrainer trainer = new BpeTrainer();
        trainer.add("low low low lower");
        List<Piece> pieces = trainer.train(FIRST_NORMAL + 3 + 17).pieces();
        assertThat(pieces.subList(FIRST_NORMAL, FIRST_NORMAL + 3))
                .extracting(Piece::text)
                .containsExactly("lo", "low", "▁low");
    }

    @Test
    void writesScoresAndIdsAsSentencePieceDoes() {
        List<Piece> pieces = trained(500).pieces();
        assertThat(pieces.get(0).type()).isEqualTo(PieceType.UNKNOWN);
        assertThat(pieces).extracting(Piece::text).startsWith("<unk>", "<s>", "</s>", "[INST]", "[/INST]");
        assertThat(pieces.get(14)).isEqualTo(Piece.ofByte(0));
        for (int id = FIRST_NORMAL; id < pieces.size(); id++) {
            assertThat(pieces.get(id).score()).isEqualTo(FIRST_NORMAL - id);
        }
    }

    @Test
    void givesTheSameModelForTheSameTexts() {
        assertThat(trained(500).toByteArray()).isEqualTo(trained(500).toByteArray());
    }

    @Test
    void roundTripsEveryTextOfTheCorpusWithoutByteTokens() {
        SentencePieceModel model = trained(900);
        Tokenizer tokenizer = Tokenizers.of(model);
        assertThat(tokenizer.version()).isEqualTo(TokenizerVersion.V3);
        for (String text : texts(200)) {
            int[] ids = tokenizer.encode(text);
            assertThat(tokenizer.decode(ids)).isEqualTo(text);
            assertThat(Arrays.stream(ids).boxed())
                    .noneMatch(id -> model.pieces().get(id).type() == PieceType.BYTE);
        }
    }

    @Test
    void readsNumbersDigitByDigit() {
        Tokenizer tokenizer = Tokenizers.of(trained(900));
        int[] ids = tokenizer.encode("1234");
        assertThat(ids).hasSize(5);
        assertThat(tokenizer.piece(ids[0])).isEqualTo("▁");
    }

    @Test
    void fallsBackToBytesForUnseenCharacters() {
        Tokenizer tokenizer = Tokenizers.of(trained(500));
        assertThat(tokenizer.decode(tokenizer.encode("猫"))).isEqualTo("猫");
    }

    @Test
    void neverJoinsWords() {
        assertThat(trained(900).pieces())
                .filteredOn(piece -> piece.type() == PieceType.NORMAL)
                .extracting(Piece::text)
                .noneMatch(text -> text.substring(1).matches(".*[^▁]▁.*|.*▁[^▁].*"));
    }

    @Test
    void refusesAVocabularyWithoutRoomForTheCharacters() {
        BpeTrainer trainer = new BpeTrainer();
        trainer.add("abcdefgh");
        assertThatThrownBy(() -> trainer.train(275))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no room for 19 characters");
    }

    private static SentencePieceModel trained(int vocabSize) {
        BpeTrainer trainer = new BpeTrainer();
        texts(200).forEach(trainer::add);
        return trainer.train(vocabSize);
    }

    private static List<String> texts(int n) {
        ConversationEncoder encoder = new ConversationEncoder(Tokenizers.of(BpeTrainer.bytesOnly()), 0.1f);
        CorpusGenerator corpus = new CorpusGenerator(3);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            Example example = corpus.next();
            texts.addAll(encoder.texts(example));
        }
        return texts;
    }
}
