package dev.mixtral.grammar;

import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.nio.file.Path;

/// The vocabulary of the embedded model, which every clone has.
final class Vocabularies {
    private Vocabularies() {}

    static Tokenizer tiny() {
        Path home = Path.of(System.getProperty("mixtral.home", ".."));
        return Tokenizers.open(home.resolve("models/mixtral-tiny/tokenizer.model"));
    }
}
