package dev.mixtral.tokenizer;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.TokenizerSource.GgufVocabulary;
import dev.mixtral.tokenizer.SentencePieceModel.ModelType;
import dev.mixtral.tokenizer.SentencePieceModel.NormalizerSpec;
import dev.mixtral.tokenizer.SentencePieceModel.TrainerSpec;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Makes a tokenizer from the `tokenizer.ggml.*` keys of a GGUF file.
final class GgufTokenizer {
    private static final int DEFAULT_BOS_ID = 1;
    private static final int DEFAULT_EOS_ID = 2;

    private GgufTokenizer() {}

    static Tokenizer open(GgufVocabulary vocabulary) {
        String file = vocabulary.file();
        if (!vocabulary.model().equals("llama")) {
            throw new UnsupportedModelException(file + ": tokenizer.ggml.model is '" + vocabulary.model()
                    + "'; only 'llama' (SentencePiece BPE) is supported");
        }
        List<Piece> pieces = pieces(vocabulary);
        TrainerSpec trainer = new TrainerSpec(
                ModelType.BPE,
                pieces.stream().anyMatch(piece -> piece.type() == PieceType.BYTE),
                false,
                "<unk>",
                controlPiece(file, pieces, "bos", vocabulary.bosTokenId(), DEFAULT_BOS_ID),
                controlPiece(file, pieces, "eos", vocabulary.eosTokenId(), DEFAULT_EOS_ID),
                TrainerSpec.DEFAULT_UNKNOWN_SURFACE);
        NormalizerSpec normalizer = new NormalizerSpec("identity", false, vocabulary.addSpacePrefix(), false, true);
        return new SentencePieceBpe(file, new SentencePieceModel(pieces, trainer, normalizer));
    }

    /// Returns the keys of a GGUF file for a model: the inverse of [#open].
    static GgufVocabulary vocabulary(String file, SentencePieceModel model) {
        List<Piece> pieces = model.pieces();
        byte[][] tokens = new byte[pieces.size()][];
        float[] scores = new float[pieces.size()];
        int[] types = new int[pieces.size()];
        for (int id = 0; id < tokens.length; id++) {
            Piece piece = pieces.get(id);
            tokens[id] = piece.text().getBytes(StandardCharsets.UTF_8);
            scores[id] = piece.score();
            types[id] = piece.type().number();
        }
        return new GgufVocabulary(
                file,
                "llama",
                tokens,
                scores,
                types,
                idOf(pieces, model.trainer().bosPiece()),
                idOf(pieces, model.trainer().eosPiece()),
                idOf(pieces, model.trainer().unknownPiece()),
                model.normalizer().addDummyPrefix());
    }

    private static @Nullable Integer idOf(List<Piece> pieces, String text) {
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).text().equals(text)) {
                return id;
            }
        }
        return null;
    }

    private static List<Piece> pieces(GgufVocabulary vocabulary) {
        int size = vocabulary.tokens().length;
        if (size > SentencePieceModel.MAX_PIECES) {
            throw new UnsupportedModelException(vocabulary.file() + ": the vocabulary has " + size
                    + " pieces; the limit is " + SentencePieceModel.MAX_PIECES);
        }
        if (vocabulary.scores().length != size || vocabulary.types().length != size) {
            throw new ModelFormatException(
                    vocabulary.file(),
                    "tokenizer.ggml.tokens has " + size + " entries, but scores has " + vocabulary.scores().length
                            + " and token_type " + vocabulary.types().length);
        }
        List<Piece> pieces = new ArrayList<>(size);
        for (int id = 0; id < size; id++) {
            int number = vocabulary.types()[id];
            int place = id;
            PieceType type = PieceType.of(number)
                    .orElseThrow(() -> new ModelFormatException(
                            vocabulary.file(),
                            "tokenizer.ggml.token_type[" + place + "] is " + number + ", expected 1 to 6"));
            pieces.add(new Piece(text(vocabulary, id), vocabulary.scores()[id], type));
        }
        return pieces;
    }

    private static String text(GgufVocabulary vocabulary, int id) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(vocabulary.tokens()[id]))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new ModelFormatException(vocabulary.file(), "tokenizer.ggml.tokens[" + id + "] is not UTF-8", e);
        }
    }

    private static String controlPiece(
            String file, List<Piece> pieces, String role, @Nullable Integer id, int defaultId) {
        int actual = id == null ? defaultId : id;
        if (actual < 0 || actual >= pieces.size() || pieces.get(actual).type() != PieceType.CONTROL) {
            throw new ModelFormatException(
                    file, "tokenizer.ggml." + role + "_token_id is " + actual + ", which is no control token");
        }
        return pieces.get(actual).text();
    }
}
