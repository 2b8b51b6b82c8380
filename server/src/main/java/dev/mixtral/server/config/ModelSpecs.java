package dev.mixtral.server.config;

import dev.mixtral.server.AdapterSpec;
import dev.mixtral.server.ModelSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Reads which models to serve under which names.
final class ModelSpecs {
    private final Map<String, Path> paths = new LinkedHashMap<>();
    private final Map<String, String> idsByAlias = new TreeMap<>();
    private final Map<String, List<AdapterSpec>> adaptersById = new LinkedHashMap<>();
    private final Set<String> adapterNames = new HashSet<>();

    private ModelSpecs() {}

    /// Reads the models of a configuration.
    ///
    /// @param embedded the model that is served if none is named
    /// @throws ConfigException if a name is used twice, or an alias or adapter names no model
    static List<ModelSpec> of(Configuration configuration, Path embedded) {
        ModelSpecs result = new ModelSpecs();
        List<String> models = configuration.get(ConfigKeys.MODELS);
        if (models.isEmpty()) {
            result.paths.put(idOf(embedded), embedded);
        }
        models.forEach(text -> result.addModel(text, configuration.source(ConfigKeys.MODELS)));
        configuration
                .get(ConfigKeys.MODEL_ALIASES)
                .forEach(text -> result.addAlias(text, configuration.source(ConfigKeys.MODEL_ALIASES)));
        configuration
                .get(ConfigKeys.LORA)
                .forEach(text -> result.addAdapter(text, configuration.source(ConfigKeys.LORA)));
        return result.paths.entrySet().stream()
                .map(model -> new ModelSpec(
                        model.getValue(),
                        model.getKey(),
                        result.aliasesOf(model.getKey()),
                        result.adaptersById.getOrDefault(model.getKey(), List.of())))
                .toList();
    }

    private void addModel(String text, Source source) {
        int equals = text.indexOf('=');
        Path path = Path.of(text.substring(equals + 1));
        String id = equals < 0 ? idOf(path) : text.substring(0, equals).strip();
        if (id.isEmpty() || id.equals(ModelSpec.ANY)) {
            throw new ConfigException(source + ": models: expected ID=PATH, got '" + text + "'");
        }
        if (paths.put(id, path) != null) {
            throw new ConfigException(
                    source + ": models: there are two models with the id " + id + ". Give each its own: ID=PATH.");
        }
    }

    /// A file's name without its ending, or a folder's name.
    private static String idOf(Path path) {
        Path name = path.toAbsolutePath().normalize().getFileName();
        return name == null ? "model" : name.toString().replaceFirst("\\.(gguf|packed)$", "");
    }

    private void addAlias(String text, Source source) {
        int equals = text.indexOf('=');
        String alias = (equals < 0 ? text : text.substring(0, equals)).strip();
        String id = equals < 0
                ? paths.keySet().iterator().next()
                : text.substring(equals + 1).strip();
        if (!paths.containsKey(id)) {
            throw new ConfigException(source + ": model-aliases: '" + text + "' names no model; there are: "
                    + String.join(", ", paths.keySet()));
        }
        if (alias.isEmpty() || paths.containsKey(alias) || idsByAlias.put(alias, id) != null) {
            throw new ConfigException(source + ": model-aliases: '" + alias + "' is empty or taken already");
        }
    }

    private void addAdapter(String text, Source source) {
        int equals = text.indexOf('=');
        if (equals <= 0 || equals == text.length() - 1) {
            throw new ConfigException(source + ": lora: expected NAME=PATH or MODEL:NAME=PATH, got '" + text + "'");
        }
        String left = text.substring(0, equals).strip();
        String id = paths.keySet().stream()
                .filter(model -> left.startsWith(model + ":"))
                .findFirst()
                .orElse("");
        String name = id.isEmpty() ? left : left.substring(id.length() + 1);
        boolean taken = paths.containsKey(name) || idsByAlias.containsKey(name) || !adapterNames.add(name);
        if (name.isBlank() || name.equals(ModelSpec.ANY) || taken) {
            throw new ConfigException(source + ": lora: '" + name + "' is no name for an adapter, or taken already");
        }
        Path path = Path.of(text.substring(equals + 1).strip());
        adaptersById
                .computeIfAbsent(id.isEmpty() ? paths.keySet().iterator().next() : id, _ -> new ArrayList<>())
                .add(new AdapterSpec(name, path));
    }

    private List<String> aliasesOf(String id) {
        List<String> aliases = new ArrayList<>();
        idsByAlias.forEach((alias, each) -> {
            if (each.equals(id)) {
                aliases.add(alias);
            }
        });
        return aliases;
    }
}
