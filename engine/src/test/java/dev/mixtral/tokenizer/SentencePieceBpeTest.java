package dev.mixtral.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.TokenizerSource.GgufVocabulary;
import dev.mixtral.tokenizer.SentencePieceModel.ModelType;
import dev.mixtral.tokenizer.SentencePieceModel.NormalizerSpec;
import dev.mixtral.tokenizer.SentencePieceModel.TrainerSpec;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SentencePieceBpeTest {
    private static final List<String> TEXTS = List.of(
            "hello", " hello", "hello  hello", "ab[INST] x</s>", "é😀\n\t", "▁a", "[DOC]x[DOC", "\0", "<0x41>", " ");

    @ParameterizedTest
    @EnumSource
    void survivesWritingAndReading(TokenizerVersion version) {
        SentencePieceModel model = SmallModel.of(version);
        SentencePieceModel copy = SentencePieceModel.parse("copy", model.toByteArray());
        assertThat(copy).isEqualTo(model);
        assertThat(SmallModel.tokenizer(version).version()).isEqualTo(version);
    }

    @Test
    void mergesTheBestPairFirst() {
        Tokenizer tokenizer = SmallModel.tokenizer(TokenizerVersion.V1);
        assertThat(pieces(tokenizer, "hello")).containsExactly("▁hello");
        assertThat(pieces(tokenizer, "ab")).containsExactly("▁a", "b");
        assertThat(pieces(tokenizer, "xab")).containsExactly("▁x", "ab");
        assertThat(pieces(tokenizer, "z")).containsExactly("▁", "<0x7A>");
        assertThat(pieces(tokenizer, "😀")).containsExactly("▁", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>");
        assertThat(tokenizer.encode("")).isEmpty();
        assertThat(tokenizer.encodeContinuation("ab")).isEqualTo(new int[] {id(tokenizer, "ab")});
    }

    @Test
    void neverMakesControlTokensOfText() {
        Tokenizer tokenizer = SmallModel.tokenizer(TokenizerVersion.V3);
        for (String text : List.of("<s></s>", "[INST][/INST]", "[TOOL_CALLS] [", "<unk>", "<0x41>", "<s", "s>")) {
            assertThat(IntStream.of(tokenizer.encode(text)).filter(tokenizer::isControl))
                    .isEmpty();
            assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
        }
    }

    @Test
    void keepsUserDefinedPiecesWhole() {
        Tokenizer tokenizer = SmallModel.tokenizer(TokenizerVersion.V3);
        assertThat(pieces(tokenizer, "a[DOC]b")).containsExactly("▁a", "[DOC]", "b");
    }

    @Test
    void decodesWhatItEncoded() {
        for (TokenizerVersion version : TokenizerVersion.values()) {
            Tokenizer tokenizer = SmallModel.tokenizer(version);
            for (String text : TEXTS) {
                assertThat(tokenizer.decode(tokenizer.encode(text)))
                        .as("%s: %s", version, text)
                        .isEqualTo(text.replace('▁', ' '));
            }
        }
    }

    @Test
    void readsLoneSurrogatesAndBrokenBytesAsReplacementCharacters() {
        Tokenizer tokenizer = SmallModel.tokenizer(TokenizerVersion.V1);
        assertThat(tokenizer.decode(tokenizer.encode("a\ud800b\udc00"))).isEqualTo("a\ufffdb\ufffd");
        assertThat(tokenizer.decode(tokenizer.encode(new byte[] {'a', (byte) 0xf0, (byte) 0x9f, 'b'})))
                .isEqualTo("a\ufffd\ufffdb");
    }

    @Test
    void givesTheBytesOfEachPiece() {
        Tokenizer tokenizer = SmallModel.tokenizer(TokenizerVersion.V3);
        assertThat(tokenizer.bytes(id(tokenizer, "▁hello"))).asString().isEqualTo(" hello");
        assertThat(tokenizer.bytes(tokenizer.bosId())).isEmpty();
        assertThat(tokenizer.bytes(id(tokenizer, "<0xFF>"))).containsExactly(0xff);
        assertThatThrownBy(() -> tokenizer.bytes(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tokenizer.decode(new int[] {tokenizer.vocabSize()}))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void cutsUnusedPiecesAgain() {
        List<Piece> pieces = new ArrayList<>(SmallModel.of(TokenizerVersion.V1).pieces());
        pieces.replaceAll(piece ->
                piece.text().equals("▁hello") ? new Piece(piece.text(), piece.score(), PieceType.UNUSED) : piece);
        Tokenizer tokenizer = new SentencePieceBpe("unused", SentencePieceModel.bpe(pieces));
        assertThat(pieces(tokenizer, "hello")).containsExactly("▁he", "llo");
    }

    @Test
    void isLinearEnoughForLongTexts() {
        Tokenizer tokenizer = SmallModel.tokenizer(TokenizerVersion.V1);
        String text = "hello ab ".repeat(50_000) + " ".repeat(50_000) + "a".repeat(50_000);
        long start = System.nanoTime();
        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @ParameterizedTest
    @ValueSource(strings = {"UNIGRAM", "WORD", "CHAR"})
    void refusesOtherAlgorithms(ModelType type) {
        TrainerSpec trainer = new TrainerSpec(type, true, false, "<unk>", "<s>", "</s>", " ⁇ ");
        assertRefused(new SentencePieceModel(pieces(), trainer, NormalizerSpec.IDENTITY), type.name());
    }

    @Test
    void refusesOtherNormalisation() {
        TrainerSpec suffix = new TrainerSpec(ModelType.BPE, true, true, "<unk>", "<s>", "</s>", " ⁇ ");
        assertRefused(new SentencePieceModel(pieces(), suffix, NormalizerSpec.IDENTITY), "whitespace_as_suffix");
        assertRefused(new NormalizerSpec("nmt_nfkc", true, true, false, true), "nmt_nfkc");
        assertRefused(new NormalizerSpec("identity", false, true, true, true), "remove_extra_whitespaces");
        assertRefused(new NormalizerSpec("identity", false, true, false, false), "escape_whitespaces");
    }

    @Test
    void refusesContradictions() {
        assertBroken(List.of(new Piece("<unk>", 0, PieceType.UNKNOWN)), "byte");
        assertBroken(with(Piece.normal("ab", 1)), "twice");
        assertBroken(with(Piece.normal("", 1)), "empty");
        assertBroken(with(Piece.normal("q", Float.NaN)), "not a number");
        assertBroken(with(new Piece("<u>", 0, PieceType.UNKNOWN)), "unknown");
        assertBroken(with(new Piece("<0xff>", 0, PieceType.BYTE)), "spelled");
    }

    @Test
    void opensGgufVocabularies() {
        List<Piece> pieces = pieces();
        byte[][] tokens = pieces.stream()
                .map(piece -> piece.text().getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new);
        float[] scores = new float[tokens.length];
        int[] types = new int[tokens.length];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = pieces.get(id).score();
            types[id] = pieces.get(id).type().number();
        }
        Tokenizer tokenizer = SmallModel.tokenizer(TokenizerVersion.V3);
        Tokenizer gguf =
                Tokenizers.open(new GgufVocabulary("m.gguf", "llama", tokens, scores, types, 1, null, 0, true));
        for (String text : TEXTS) {
            assertThat(gguf.encode(text)).isEqualTo(tokenizer.encode(text));
        }
        Tokenizer bare = Tokenizers.open(new GgufVocabulary("m.gguf", "llama", tokens, scores, types, 1, 2, 0, false));
        assertThat(bare.encode("ab")).isEqualTo(tokenizer.encodeContinuation("ab"));
        assertThatThrownBy(() ->
                        Tokenizers.open(new GgufVocabulary("m.gguf", "gpt2", tokens, scores, types, 1, 2, 0, true)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("gpt2");
        assertThatThrownBy(() -> Tokenizers.open(
                        new GgufVocabulary("m.gguf", "llama", tokens, new float[1], types, 1, 2, 0, true)))
                .isInstanceOf(ModelFormatException.class);
    }

    private static List<Piece> pieces() {
        return SmallModel.of(TokenizerVersion.V3).pieces();
    }

    private static List<Piece> with(Piece piece) {
        List<Piece> pieces = new ArrayList<>(pieces());
        pieces.add(piece);
        return pieces;
    }

    private static void assertBroken(List<Piece> pieces, String problem) {
        assertThatThrownBy(() -> new SentencePieceBpe("m", SentencePieceModel.bpe(pieces)))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(problem);
    }

    private static void assertRefused(NormalizerSpec normalizer, String setting) {
        assertRefused(new SentencePieceModel(pieces(), TrainerSpec.BYTE_PAIR, normalizer), setting);
    }

    private static void assertRefused(SentencePieceModel model, String setting) {
        assertThatThrownBy(() -> new SentencePieceBpe("m", model))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(setting);
    }

    private static List<String> pieces(Tokenizer tokenizer, String text) {
        return Arrays.stream(tokenizer.encode(text)).mapToObj(tokenizer::piece).toList();
    }

    private static int id(Tokenizer tokenizer, String piece) {
        return IntStream.range(0, tokenizer.vocabSize())
                .filter(id -> tokenizer.piece(id).equals(piece))
                .findFirst()
                .orElseThrow();
    }
}
