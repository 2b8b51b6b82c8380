package dev.mixtral.cli;

import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.nio.file.Path;

/// Opens what a command needs of a model, and no more.
final class Models {
    private Models() {}

    /// Opens the tokenizer of a checkpoint, or a bare tokenizer file.
    static Tokenizer openTokenizer(Path path) {
        return Tokenizers.open(path);
    }
}
