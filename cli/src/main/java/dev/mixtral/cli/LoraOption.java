package dev.mixtral.cli;

import dev.mixtral.engine.Engine;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The adapter of commands that answer with one model.
final class LoraOption {
    @Option(
            names = "--lora",
            paramLabel = "[NAME=]PATH",
            description = "Adapter to apply to the model: PEFT folder or GGUF adapter.")
    private @Nullable String adapter;

    /// An adapter as a command line gives it.
    ///
    /// @param name for requests; the file's, if the command line gives none
    /// @param isNamed whether it gives one
    record Given(String name, Path path, boolean isNamed) {
        static Given parse(String text) {
            int equals = text.indexOf('=');
            if (equals > 0 && !Files.exists(Path.of(text))) {
                return new Given(text.substring(0, equals), Path.of(text.substring(equals + 1)), true);
            }
            Path path = Path.of(text);
            return new Given(String.valueOf(path.toAbsolutePath().normalize().getFileName()), path, false);
        }
    }

    /// Loads the adapter, if there is one.
    ///
    /// @return its name for requests; empty without one
    String load(Engine engine) {
        if (adapter == null) {
            return "";
        }
        Given given = Given.parse(adapter);
        engine.loadAdapter(given.name(), given.path());
        return given.name();
    }
}
