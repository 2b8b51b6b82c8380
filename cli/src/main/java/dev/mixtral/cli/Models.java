package dev.mixtral.cli;

import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.ChatTemplates;
import dev.mixtral.chat.InstructTemplate;
import dev.mixtral.chat.InstructTemplate.Mode;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.TokenizerVersion;
import dev.mixtral.tokenizer.Tokenizers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Opens what a command needs of a model, and no more.
final class Models {
    private Models() {}

    /// Opens the tokenizer of a checkpoint, or a bare tokenizer file.
    ///
    /// @throws dev.mixtral.error.MixtralException if there is none, or it cannot be read
    static Tokenizer openTokenizer(Path path) {
        if (isBareTokenizer(path)) {
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

    /// Opens the chat template of a checkpoint, or an instruct format over its tokenizer.
    ///
    /// @param version Mistral's instruct format, or `null` for the checkpoint's own template
    /// @param strict whether to reject what Mistral's validator rejects; takes an instruct format
    static ChatTemplate openTemplate(Path path, @Nullable TokenizerVersion version, boolean strict) {
        if (version == null && !strict && !isBareTokenizer(path)) {
            try (Checkpoint checkpoint = Checkpoints.open(path)) {
                return ChatTemplates.forCheckpoint(checkpoint, tokenizer(checkpoint));
            }
        }
        Tokenizer tokenizer = openTokenizer(path);
        return new InstructTemplate(
                tokenizer, version == null ? tokenizer.version() : version, strict ? Mode.STRICT : Mode.LENIENT);
    }

    /// Published names: `tokenizer.model`, `tokenizer.model.v3`, `mistral_instruct_tokenizer_240323.model.v3`,
    /// `tokenizer.json`.
    private static boolean isBareTokenizer(Path path) {
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        boolean isTokenizerName =
                name.matches(".*\\.model(\\.v\\d+)?") || (name.endsWith(".json") && name.contains("tokenizer"));
        return isTokenizerName && Files.isRegularFile(path);
    }
}
