package dev.mixtral.tokenizer;

import dev.mixtral.format.io.ProtobufWriter;
import java.util.List;

/// The content of a SentencePiece model file (`tokenizer.model`). Immutable.
///
/// Holds what encoding and decoding depend on; statistics of the training run are read over. Source:
/// `sentencepiece_model.proto` of google/sentencepiece.
///
/// @param pieces the vocabulary in order of ids
/// @param trainer the kind of model, and the names of the special pieces
/// @param normalizer what happens to text before it is cut into pieces
public record SentencePieceModel(List<Piece> pieces, TrainerSpec trainer, NormalizerSpec normalizer) {
    /// More pieces than any published vocabulary has, few enough for a small heap.
    static final int MAX_PIECES = 1 << 20;

    public SentencePieceModel {
        pieces = List.copyOf(pieces);
    }

    /// Returns a byte-pair model with byte fallback and identity normalisation, as Mistral trains them.
    ///
    /// @param pieces the vocabulary: `<unk>`, `<s>`, `</s>` first, all 256 byte pieces somewhere
    public static SentencePieceModel bpe(List<Piece> pieces) {
        return new SentencePieceModel(pieces, TrainerSpec.BYTE_PAIR, NormalizerSpec.IDENTITY);
    }

    /// The algorithm that a model was trained for. The numbers are those of the file format.
    public enum ModelType {
        /// Most probable segmentation; the format's default.
        UNIGRAM(1),
        /// Byte-pair encoding.
        BPE(2),
        /// Whole words.
        WORD(3),
        /// Single characters.
        CHAR(4);

        private final int number;

        ModelType(int number) {
            this.number = number;
        }

        /// Returns the number that files use.
        public int number() {
            return number;
        }
    }

    /// The part of the training parameters that matters afterwards.
    ///
    /// @param modelType the algorithm
    /// @param byteFallback whether characters outside the vocabulary become byte pieces
    /// @param whitespaceAsSuffix whether `▁` ends words rather than beginning them
    /// @param unknownPiece the spelling of the unknown piece
    /// @param bosPiece the spelling of the beginning-of-sequence piece
    /// @param eosPiece the spelling of the end-of-sequence piece
    /// @param unknownSurface what the unknown piece decodes to
    public record TrainerSpec(
            ModelType modelType,
            boolean byteFallback,
            boolean whitespaceAsSuffix,
            String unknownPiece,
            String bosPiece,
            String eosPiece,
            String unknownSurface) {
        /// What an unknown piece decodes to unless the file says otherwise: a double question mark between spaces.
        static final String DEFAULT_UNKNOWN_SURFACE = " \u2047 ";

        /// Byte-pair encoding with byte fallback and the usual names.
        public static final TrainerSpec BYTE_PAIR =
                new TrainerSpec(ModelType.BPE, true, false, "<unk>", "<s>", "</s>", DEFAULT_UNKNOWN_SURFACE);
    }

    /// What happens to text first.
    ///
    /// @param name the normalisation's name, such as `identity` or `nmt_nfkc`
    /// @param hasCharacterMap whether a compiled character map (NFKC and the like) is to be applied
    /// @param addDummyPrefix whether a text starts with a dummy space
    /// @param removeExtraWhitespaces whether runs of spaces are collapsed
    /// @param escapeWhitespaces whether a space becomes `▁`
    public record NormalizerSpec(
            String name,
            boolean hasCharacterMap,
            boolean addDummyPrefix,
            boolean removeExtraWhitespaces,
            boolean escapeWhitespaces) {
        /// Text is taken as it is, behind a dummy space.
        public static final NormalizerSpec IDENTITY = new NormalizerSpec("identity", false, true, false, true);
    }

    /// Parses a model file.
    ///
    /// @param file the file's name, for messages
    /// @param bytes the whole file
    /// @throws ModelFormatException if the bytes are not a SentencePiece model
    /// @throws UnsupportedModelException if it has more than a million pieces
    public static SentencePieceModel parse(String file, byte[] bytes) {
        return new SentencePieceParser(file).parse(bytes);
    }

    /// Returns the model file: what SentencePiece itself loads.
    ///
    /// @throws IllegalStateException if the model has a character map, which is not kept
    public byte[] toByteArray() {
        if (normalizer.hasCharacterMap()) {
            throw new IllegalStateException("a model with a character map cannot be written: the map is not kept");
        }
        ProtobufWriter model = new ProtobufWriter();
        for (Piece piece : pieces) {
            ProtobufWriter message =
                    new ProtobufWriter().string(1, piece.text()).float32(2, piece.score());
            if (piece.type() != PieceType.NORMAL) {
                message.number(3, piece.type().number());
            }
            model.message(1, message);
        }
        return model.message(2, trainerMessage())
                .message(3, normalizerMessage())
                .toByteArray();
    }

    private ProtobufWriter trainerMessage() {
        ProtobufWriter message = new ProtobufWriter()
                .number(3, trainer.modelType().number())
                .number(4, pieces.size())
                .flag(24, trainer.whitespaceAsSuffix());
        for (Piece piece : pieces) {
            boolean isControl = piece.type() == PieceType.CONTROL
                    && !List.of(trainer.bosPiece(), trainer.eosPiece()).contains(piece.text());
            if (isControl) {
                message.string(30, piece.text());
            } else if (piece.type() == PieceType.USER_DEFINED) {
                message.string(31, piece.text());
            }
        }
        return message.flag(35, trainer.byteFallback())
                .number(40, idOf(trainer.unknownPiece()))
                .number(41, idOf(trainer.bosPiece()))
                .number(42, idOf(trainer.eosPiece()))
                .number(43, -1)
                .string(44, trainer.unknownSurface())
                .string(45, trainer.unknownPiece())
                .string(46, trainer.bosPiece())
                .string(47, trainer.eosPiece());
    }

    private ProtobufWriter normalizerMessage() {
        return new ProtobufWriter()
                .string(1, normalizer.name())
                .bytes(2, new byte[0])
                .flag(3, normalizer.addDummyPrefix())
                .flag(4, normalizer.removeExtraWhitespaces())
                .flag(5, normalizer.escapeWhitespaces());
    }

    private int idOf(String text) {
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).text().equals(text)) {
                return id;
            }
        }
        return -1;
    }
}
