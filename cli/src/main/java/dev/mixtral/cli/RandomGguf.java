package dev.mixtral.cli;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.MixtralGguf;
import dev.mixtral.format.TokenizerSource.GgufVocabulary;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.tokenizer.PieceType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/// Writes random weights as a GGUF file that other engines load too, so that all are measured on the same weights.
final class RandomGguf {
    /// Behind three control pieces and the bytes.
    private static final int FIRST_PIECE = 3 + 256;

    private RandomGguf() {}

    /// Creates or replaces the file.
    static void write(RandomCheckpoint checkpoint, Path file) {
        GgufWriter.write(
                file,
                metadata(checkpoint.config()),
                checkpoint.tensors().stream()
                        .map(stored -> GgufWriter.Entry.of(
                                stored.tensor().name(),
                                stored.tensor().type(),
                                stored.tensor().shape(),
                                stored.tensor().data()))
                        .toList());
    }

    private static Map<String, GgufValue> metadata(MixtralConfig config) {
        Map<String, GgufValue> metadata = MixtralGguf.metadata("random weights", config);
        MixtralGguf.putVocabulary(metadata, vocabulary(config.vocabSize()), config.vocabSize());
        return metadata;
    }

    /// Control pieces, the bytes, and made-up pieces: engines want a vocabulary, and refuse one without bytes.
    private static GgufVocabulary vocabulary(int vocabSize) {
        byte[][] tokens = new byte[vocabSize][];
        float[] scores = new float[vocabSize];
        int[] types = new int[vocabSize];
        for (int id = 0; id < vocabSize; id++) {
            tokens[id] = piece(id).getBytes(StandardCharsets.UTF_8);
            scores[id] = -id;
            types[id] = type(id).number();
        }
        return new GgufVocabulary("random", "llama", tokens, scores, types, 1, 2, 0, true);
    }

    private static String piece(int id) {
        return switch (id) {
            case 0 -> "<unk>";
            case 1 -> "<s>";
            case 2 -> "</s>";
            case FIRST_PIECE -> "▁"; // without it, the space in front of every text would fall back to bytes
            default -> id < FIRST_PIECE ? String.format(Locale.ROOT, "<0x%02X>", id - 3) : "▁piece" + id;
        };
    }

    private static PieceType type(int id) {
        return switch (id) {
            case 0 -> PieceType.UNKNOWN;
            case 1, 2 -> PieceType.CONTROL;
            default -> id < FIRST_PIECE ? PieceType.BYTE : PieceType.NORMAL;
        };
    }
}
