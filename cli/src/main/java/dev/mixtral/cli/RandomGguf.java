package dev.mixtral.cli;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.tokenizer.PieceType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.of("llama"));
        metadata.put("general.name", GgufValue.of("random weights"));
        metadata.put("llama.context_length", GgufValue.of(config.contextLength()));
        metadata.put("llama.embedding_length", GgufValue.of(config.dim()));
        metadata.put("llama.block_count", GgufValue.of(config.numLayers()));
        metadata.put("llama.feed_forward_length", GgufValue.of(config.ffnDim()));
        metadata.put("llama.rope.dimension_count", GgufValue.of(config.headDim()));
        metadata.put("llama.attention.head_count", GgufValue.of(config.numHeads()));
        metadata.put("llama.attention.head_count_kv", GgufValue.of(config.numKvHeads()));
        metadata.put("llama.attention.layer_norm_rms_epsilon", GgufValue.of(config.normEps()));
        metadata.put("llama.rope.freq_base", GgufValue.of((float) config.ropeTheta()));
        metadata.put("llama.vocab_size", GgufValue.of(config.vocabSize()));
        if (!config.isDense()) {
            metadata.put("llama.expert_count", GgufValue.of(config.numExperts()));
            metadata.put("llama.expert_used_count", GgufValue.of(config.numExpertsPerToken()));
        }
        putVocabulary(metadata, config.vocabSize());
        return metadata;
    }

    /// Control pieces, the bytes, and made-up pieces: engines want a vocabulary, and refuse one without bytes.
    private static void putVocabulary(Map<String, GgufValue> metadata, int vocabSize) {
        List<byte[]> tokens = new ArrayList<>();
        float[] scores = new float[vocabSize];
        int[] types = new int[vocabSize];
        for (int id = 0; id < vocabSize; id++) {
            tokens.add(piece(id).getBytes(StandardCharsets.UTF_8));
            scores[id] = -id;
            types[id] = type(id).number();
        }
        metadata.put("tokenizer.ggml.model", GgufValue.of("llama"));
        metadata.put("tokenizer.ggml.tokens", GgufValue.of(tokens));
        metadata.put("tokenizer.ggml.scores", GgufValue.of(scores));
        metadata.put("tokenizer.ggml.token_type", GgufValue.of(types));
        metadata.put("tokenizer.ggml.bos_token_id", GgufValue.of(1));
        metadata.put("tokenizer.ggml.eos_token_id", GgufValue.of(2));
        metadata.put("tokenizer.ggml.unknown_token_id", GgufValue.of(0));
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
