package dev.mixtral.server.api;

import dev.mixtral.server.ModelSpec;
import java.util.List;

/// A model under the names that clients know. Immutable.
///
/// @param id the name that answers carry
/// @param aliases further names; `*` accepts any
/// @param created when the weights were made, in seconds since 1970
/// @param description for people: size, types, file
/// @param quantization the weights' main type
/// @param root file or folder name of the weights
/// @param model the model itself
public record ServedModel(
        String id,
        List<String> aliases,
        long created,
        String description,
        String quantization,
        String root,
        ChatModel model) {
    public ServedModel {
        aliases = List.copyOf(aliases);
    }

    /// Returns whether clients may mean this model by a name.
    boolean isCalled(String name) {
        return id.equals(name) || aliases.contains(name);
    }

    /// Returns whether any name will do.
    boolean isCalledAnything() {
        return aliases.contains(ModelSpec.ANY);
    }
}
