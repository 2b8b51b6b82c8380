package dev.mixtral.server.api;

import dev.mixtral.server.AdapterSpec;
import dev.mixtral.server.ModelSpec;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A model, or an adapter of one, under the names that clients know. Immutable.
///
/// @param id the name that answers carry
/// @param aliases further names; `*` accepts any
/// @param created when the weights were made, in seconds since 1970
/// @param description for people: size, types, file
/// @param quantization the weights' main type
/// @param root file or folder name of the weights
/// @param model the model itself
/// @param parent id of the model that this is an adapter of, or `null`
public record ServedModel(
        String id,
        List<String> aliases,
        long created,
        String description,
        String quantization,
        String root,
        ChatModel model,
        @Nullable String parent) {
    public ServedModel {
        aliases = List.copyOf(aliases);
    }

    /// A model that is no adapter.
    public ServedModel(
            String id,
            List<String> aliases,
            long created,
            String description,
            String quantization,
            String root,
            ChatModel model) {
        this(id, aliases, created, description, quantization, root, model, null);
    }

    /// Returns an adapter of this model, which the model has loaded.
    ServedModel adapter(AdapterSpec adapter) {
        return new ServedModel(
                id + ":" + adapter.name(),
                List.of(adapter.name()),
                FileTimes.seconds(adapter.path()),
                "Adapter of " + id,
                quantization,
                String.valueOf(adapter.path().getFileName()),
                model.withAdapter(adapter.name()),
                id);
    }

    /// Returns the same under one more name.
    public ServedModel withAlias(String alias) {
        List<String> all = Stream.concat(aliases.stream(), Stream.of(alias)).toList();
        return new ServedModel(id, all, created, description, quantization, root, model, parent);
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
