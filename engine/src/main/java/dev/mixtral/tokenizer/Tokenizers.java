package dev.mixtral.tokenizer;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.TokenizerSource;
import dev.mixtral.format.TokenizerSource.GgufVocabulary;
import dev.mixtral.format.TokenizerSource.SentencePieceFile;
import dev.mixtral.format.TokenizerSource.TokenizerJsonFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Opens tokenizers wherever checkpoints keep them.
public final class Tokenizers {
    /// Published files have less than 5 MB.
    private static final long MAX_FILE_BYTES = 64L << 20;

    private Tokenizers() {}

    /// Opens the tokenizer of a checkpoint.
    ///
    /// @throws dev.mixtral.error.MixtralException if it is missing, broken or of a kind that cannot be read
    public static Tokenizer open(TokenizerSource source) {
        return switch (source) {
            case SentencePieceFile(Path path) -> parseSentencePiece(path.toString(), read(path));
            case TokenizerJsonFile(Path path) -> parseJson(path.toString(), read(path));
            case GgufVocabulary vocabulary -> GgufTokenizer.open(vocabulary);
        };
    }

    /// Returns the vocabulary of a checkpoint's tokenizer as GGUF metadata has it.
    ///
    /// @throws dev.mixtral.error.MixtralException if it is missing, broken or of a kind that cannot be read
    public static GgufVocabulary ggufVocabulary(TokenizerSource source) {
        return switch (source) {
            case SentencePieceFile(Path path) ->
                GgufTokenizer.vocabulary(path.toString(), SentencePieceModel.parse(path.toString(), read(path)));
            case TokenizerJsonFile(Path path) ->
                GgufTokenizer.vocabulary(path.toString(), new TokenizerJson(path.toString(), read(path)).model());
            case GgufVocabulary vocabulary -> vocabulary;
        };
    }

    /// Opens a bare file: a `tokenizer.json` by its name's ending, else a SentencePiece model.
    ///
    /// @throws dev.mixtral.error.MixtralException if it is missing, broken or of a kind that cannot be read
    public static Tokenizer open(Path path) {
        return open(path.toString().endsWith(".json") ? new TokenizerJsonFile(path) : new SentencePieceFile(path));
    }

    /// Returns the tokenizer of a model that was made in memory.
    ///
    /// @throws dev.mixtral.error.MixtralException if it is of a kind that cannot be read
    public static Tokenizer of(SentencePieceModel model) {
        return new SentencePieceBpe("tokenizer made in memory", model);
    }

    static Tokenizer parseSentencePiece(String file, byte[] bytes) {
        return new SentencePieceBpe(file, SentencePieceModel.parse(file, bytes));
    }

    static Tokenizer parseJson(String file, byte[] bytes) {
        return new TokenizerJson(file, bytes).open();
    }

    private static byte[] read(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new ModelNotFoundException(
                    "there is no tokenizer file " + path + "; expected a tokenizer.model or a tokenizer.json");
        }
        try {
            long size = Files.size(path);
            if (size > MAX_FILE_BYTES) {
                throw new UnsupportedModelException(path + ": a tokenizer file of " + size + " bytes is not supported;"
                        + " the limit is " + MAX_FILE_BYTES);
            }
            if (size == 0) {
                throw new ModelFormatException(path, "the file is empty");
            }
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + path, e);
        }
    }
}
