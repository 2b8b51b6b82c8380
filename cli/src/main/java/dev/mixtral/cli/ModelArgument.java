package dev.mixtral.cli;

import dev.mixtral.error.ModelNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Parameters;

/// The `[MODEL]` that most commands take: a path, or nothing for the model that comes with the program.
final class ModelArgument {
    private static final String EMBEDDED = "models/mixtral-tiny";

    @Parameters(
            arity = "0..1",
            paramLabel = "MODEL",
            description =
                    "GGUF file, or folder with a Hugging Face or Mistral checkpoint. Default: the embedded model.")
    private @Nullable Path model;

    /// Returns the path of the model, which exists.
    ///
    /// @throws ModelNotFoundException if nothing lies there
    Path resolve(Terminal terminal) {
        return model == null ? embedded(terminal) : requireExists(model);
    }

    /// Returns the path, at which something lies.
    ///
    /// @throws ModelNotFoundException if nothing does
    static Path requireExists(Path path) {
        if (!Files.exists(path)) {
            throw new ModelNotFoundException(
                    "there is no model " + path + "; expected a GGUF file or a checkpoint's folder.");
        }
        return path;
    }

    /// Returns where the model that comes with the program should lie.
    static Path embeddedFolder(Terminal terminal) {
        return terminal.home().resolve(EMBEDDED);
    }

    /// Returns the path of the model that comes with the program, which exists.
    ///
    /// @throws ModelNotFoundException if it does not
    static Path embedded(Terminal terminal) {
        Path path = embeddedFolder(terminal);
        if (!Files.isDirectory(path)) {
            throw new ModelNotFoundException("the embedded model is missing: there is no folder " + path
                    + ". Name a model: a GGUF file or a checkpoint's folder.");
        }
        return path;
    }
}
