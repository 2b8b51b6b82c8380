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

    /// Loads the adapter, if there is one.
    ///
    /// @return its name for requests; empty without one
    String load(Engine engine) {
        String text = adapter;
        if (text == null) {
            return "";
        }
        int equals = text.indexOf('=');
        boolean named = equals > 0 && !Files.exists(Path.of(text));
        Path path = Path.of(named ? text.substring(equals + 1) : text);
        String name = named
                ? text.substring(0, equals)
                : String.valueOf(path.toAbsolutePath().normalize().getFileName());
        engine.loadAdapter(name, path);
        return name;
    }
}
