package dev.mixtral.server;

import java.nio.file.Path;
import java.util.List;

/// A model to serve: where it lies and what clients call it. Immutable.
///
/// @param path GGUF file, packed file, or a checkpoint's folder
/// @param id the name that answers carry
/// @param aliases further names that are accepted; `*` accepts any
/// @param adapters served beside it
public record ModelSpec(Path path, String id, List<String> aliases, List<AdapterSpec> adapters) {
    /// The alias that accepts any name.
    public static final String ANY = "*";

    public ModelSpec {
        if (id.isBlank() || id.equals(ANY)) {
            throw new IllegalArgumentException("a model's id must be a name, got '" + id + "' for " + path);
        }
        aliases = List.copyOf(aliases);
        adapters = List.copyOf(adapters);
    }

    /// A model without adapters.
    public ModelSpec(Path path, String id, List<String> aliases) {
        this(path, id, aliases, List.of());
    }
}
