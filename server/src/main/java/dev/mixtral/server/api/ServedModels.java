package dev.mixtral.server.api;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The models that are ready. Immutable.
///
/// @param models the first is the default
public record ServedModels(List<ServedModel> models) {
    public ServedModels {
        models = List.copyOf(models);
    }

    /// Returns the same with one more.
    ServedModels with(ServedModel model) {
        return new ServedModels(Stream.concat(models.stream(), Stream.of(model)).toList());
    }

    /// Returns the same without the one of an id.
    ServedModels without(String id) {
        return new ServedModels(
                models.stream().filter(model -> !model.id().equals(id)).toList());
    }

    /// Returns the model of a name: by id, then by alias, then one that takes any name.
    public Optional<ServedModel> find(String name) {
        return models.stream()
                .filter(model -> model.id().equals(name))
                .findFirst()
                .or(() -> models.stream().filter(model -> model.isCalled(name)).findFirst())
                .or(() -> models.stream().filter(ServedModel::isCalledAnything).findFirst());
    }
}
