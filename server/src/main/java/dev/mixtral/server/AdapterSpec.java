package dev.mixtral.server;

import java.nio.file.Path;

/// An adapter to serve beside its model. Immutable.
///
/// @param name what clients call it, by itself or behind its model's id and a colon
/// @param path PEFT folder or GGUF adapter
public record AdapterSpec(String name, Path path) {
    public AdapterSpec {
        if (name.isBlank() || name.equals(ModelSpec.ANY)) {
            throw new IllegalArgumentException("an adapter needs a name, got '" + name + "' for " + path);
        }
    }
}
