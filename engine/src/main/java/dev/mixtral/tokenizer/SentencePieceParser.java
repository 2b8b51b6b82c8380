package dev.mixtral.tokenizer;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tokenizer.SentencePieceModel.ModelType;
import dev.mixtral.tokenizer.SentencePieceModel.NormalizerSpec;
import dev.mixtral.tokenizer.SentencePieceModel.TrainerSpec;
import java.util.ArrayList;
import java.util.List;

/// Reads the protobuf message `ModelProto` into a [SentencePieceModel]. Confined to one thread.
final class SentencePieceParser {
    private final String file;
    private final List<Piece> pieces = new ArrayList<>();
    private TrainerSpec trainer = new TrainerSpec(
            ModelType.UNIGRAM, false, false, "<unk>", "<s>", "</s>", TrainerSpec.DEFAULT_UNKNOWN_SURFACE);
    private NormalizerSpec normalizer = new NormalizerSpec("", false, true, true, true);

    SentencePieceParser(String file) {
        this.file = file;
    }

    SentencePieceModel parse(byte[] bytes) {
        ProtobufReader reader = new ProtobufReader(file, bytes);
        while (reader.next()) {
            switch (reader.field()) {
                case 1 -> addPiece(reader.readMessage());
                case 2 -> trainer = readTrainer(reader.readMessage());
                case 3 -> normalizer = readNormalizer(reader.readMessage());
                case 5 -> checkDenormalizer(reader.readMessage());
                default -> reader.skip();
            }
        }
        if (pieces.isEmpty()) {
            throw reader.broken("no pieces: this is not a SentencePiece model");
        }
        return new SentencePieceModel(pieces, trainer, normalizer);
    }

    private void addPiece(ProtobufReader reader) {
        if (pieces.size() == SentencePieceModel.MAX_PIECES) {
            throw new UnsupportedModelException(
                    file + ": the vocabulary has more than " + SentencePieceModel.MAX_PIECES + " pieces");
        }
        String text = "";
        float score = 0;
        long type = PieceType.NORMAL.number();
        while (reader.next()) {
            switch (reader.field()) {
                case 1 -> text = reader.readString();
                case 2 -> score = reader.readFloat();
                case 3 -> type = reader.readLong();
                default -> reader.skip();
            }
        }
        long number = type;
        PieceType pieceType = PieceType.of(number)
                .orElseThrow(
                        () -> reader.broken("piece " + pieces.size() + " has type " + number + ", expected 1 to 6"));
        pieces.add(new Piece(text, score, pieceType));
    }

    private static TrainerSpec readTrainer(ProtobufReader reader) {
        ModelType modelType = ModelType.UNIGRAM;
        boolean byteFallback = false;
        boolean whitespaceAsSuffix = false;
        String unknownPiece = "<unk>";
        String bosPiece = "<s>";
        String eosPiece = "</s>";
        String unknownSurface = TrainerSpec.DEFAULT_UNKNOWN_SURFACE;
        while (reader.next()) {
            switch (reader.field()) {
                case 3 -> modelType = modelType(reader, reader.readLong());
                case 24 -> whitespaceAsSuffix = reader.readBoolean();
                case 35 -> byteFallback = reader.readBoolean();
                case 44 -> unknownSurface = reader.readString();
                case 45 -> unknownPiece = reader.readString();
                case 46 -> bosPiece = reader.readString();
                case 47 -> eosPiece = reader.readString();
                default -> reader.skip();
            }
        }
        return new TrainerSpec(
                modelType, byteFallback, whitespaceAsSuffix, unknownPiece, bosPiece, eosPiece, unknownSurface);
    }

    private static ModelType modelType(ProtobufReader reader, long number) {
        for (ModelType type : ModelType.values()) {
            if (type.number() == number) {
                return type;
            }
        }
        throw reader.broken("trainer_spec.model_type is " + number + ", expected 1 to 4");
    }

    private static NormalizerSpec readNormalizer(ProtobufReader reader) {
        String name = "";
        boolean hasCharacterMap = false;
        boolean addDummyPrefix = true;
        boolean removeExtraWhitespaces = true;
        boolean escapeWhitespaces = true;
        while (reader.next()) {
            switch (reader.field()) {
                case 1 -> name = reader.readString();
                case 2 -> hasCharacterMap = reader.readBytes().length > 0;
                case 3 -> addDummyPrefix = reader.readBoolean();
                case 4 -> removeExtraWhitespaces = reader.readBoolean();
                case 5 -> escapeWhitespaces = reader.readBoolean();
                default -> reader.skip();
            }
        }
        return new NormalizerSpec(name, hasCharacterMap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces);
    }

    private void checkDenormalizer(ProtobufReader reader) {
        if (readNormalizer(reader).hasCharacterMap()) {
            throw new UnsupportedModelException(
                    file + ": denormalizer_spec.precompiled_charsmap is set; only models without one are supported");
        }
    }
}
