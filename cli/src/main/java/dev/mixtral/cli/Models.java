package dev.mixtral.cli;

import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Opens what a command needs of a model, and no more.
final class Models {
    private Models() {}

    /// Opens the tokenizer of a checkpoint, or a bare tokenizer file.
    ///
    /// @throws dev.mixtral.error.MixtralException if there is none, or it cannot be read
    static Tokenizer openTokenizer(Path path) {
        if (Files.isRegularFile(path) && isTokenizerName(path.getFileName().toString())) {
            return Tokenizers.open(path);
        }
        try (Checkpoint checkpoint = Checkpoints.open(path)) {
            return tokenizer(checkpoint);
        }
    }

    /// Makes the tokenizer of an open checkpoint.
    ///
    /// @throws dev.mixtral.error.MixtralException if it carries none, or it cannot be read
    static Tokenizer tokenizer(Checkpoint checkpoint) {
        return Tokenizers.open(checkpoint
                .tokenizerSource()
                .orElseThrow(() -> new ModelNotFoundException(checkpoint.source()
                        + " carries no tokenizer. Put the model's tokenizer.model into the same folder.")));
    }

    /// Published names: `tokenizer.model`, `tokenizer.model.v3`, `mistral_instruct_tokenizer_240323.model.v3`,
    /// `tokenizer.json`.
    private static boolean isTokenizerName(String fileName) {
        String name = fileName.toLowerCase(Locale.ROOT);
        return name.matches(".*\\.model(\\.v\\d+)?") || (name.endsWith(".json") && name.contains("tokenizer"));
    }
}
