package dev.mixtral.format;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Where a checkpoint keeps its tokenizer. The `tokenizer` package turns it into a tokenizer.
public sealed interface TokenizerSource {
    /// A SentencePiece model file (`tokenizer.model`, `tokenizer.model.v3`).
    record SentencePieceFile(Path path) implements TokenizerSource {}

    /// A Hugging Face `tokenizer.json`.
    record TokenizerJsonFile(Path path) implements TokenizerSource {}

    /// The vocabulary in GGUF metadata (`tokenizer.ggml.*`).
    ///
    /// @param file the GGUF file, for messages
    /// @param model `tokenizer.ggml.model`: `llama` is SentencePiece BPE
    /// @param tokens the pieces as stored: any bytes
    /// @param scores one per piece
    /// @param types SentencePiece piece types (1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte)
    /// @param bosTokenId beginning of sequence, or `null` if not given
    /// @param eosTokenId end of sequence, or `null` if not given
    /// @param unknownTokenId the unknown piece, or `null` if not given
    /// @param addSpacePrefix whether a text starts with a dummy space
    record GgufVocabulary(
            String file,
            String model,
            byte[][] tokens,
            float[] scores,
            int[] types,
            @Nullable Integer bosTokenId,
            @Nullable Integer eosTokenId,
            @Nullable Integer unknownTokenId,
            boolean addSpacePrefix)
            implements TokenizerSource {}
}
