package dev.mixtral.server.api;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.server.ModelSpec;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A model in memory, under the names that clients know. Owns its engine.
///
/// @param served what clients see of the model
/// @param adapters what they see of its adapters
/// @param engine what runs it
public record LoadedModel(ServedModel served, List<ServedModel> adapters, Engine engine) implements AutoCloseable {
    /// Loads a model and its adapters.
    ///
    /// @throws dev.mixtral.error.MixtralException if there is none, it is broken, or it cannot run here
    public static LoadedModel load(ModelSpec spec, EngineConfig config) {
        Engine engine = Engine.load(spec.path(), config);
        try {
            // A model without a tokenizer or with an unusable template fails now and not at the first request.
            engine.chatTemplate();
            ServedModel served = new ServedModel(
                    spec.id(),
                    spec.aliases(),
                    FileTimes.seconds(spec.path()),
                    description(engine.modelConfig()),
                    quantization(engine.checkpoint()),
                    String.valueOf(spec.path().getFileName()),
                    new EngineModel(engine));
            spec.adapters().forEach(adapter -> engine.loadAdapter(adapter.name(), adapter.path()));
            return new LoadedModel(
                    served, spec.adapters().stream().map(served::adapter).toList(), engine);
        } catch (RuntimeException e) {
            engine.close();
            throw e;
        }
    }

    /// Returns everything that clients can name.
    public Stream<ServedModel> all() {
        return Stream.concat(Stream.of(served), adapters.stream());
    }

    private static String description(MixtralConfig config) {
        String sizes = String.format(
                Locale.ROOT,
                "%s parameters, %s active per token, %d layers",
                size(config.numParameters()),
                size(config.numActiveParameters()),
                config.numLayers());
        return config.numExperts() > 1
                ? sizes + ", " + config.numExpertsPerToken() + " of " + config.numExperts() + " experts per token"
                : sizes;
    }

    private static String size(long count) {
        return count < 1_000_000_000L
                ? String.format(Locale.ROOT, "%.2f M", count / 1e6)
                : String.format(Locale.ROOT, "%.2f B", count / 1e9);
    }

    /// Returns the type that most bytes are stored in.
    private static String quantization(Checkpoint checkpoint) {
        Map<String, Long> bytes = checkpoint.tensors().stream()
                .collect(Collectors.groupingBy(
                        stored -> stored.tensor().type().name().toLowerCase(Locale.ROOT),
                        Collectors.summingLong(stored -> stored.tensor().data().byteSize())));
        return bytes.entrySet().stream()
                .max(Comparator.comparingLong(Map.Entry::getValue))
                .map(Map.Entry::getKey)
                .orElse("unknown");
    }

    @Override
    public void close() {
        engine.close();
    }
}
