package dev.mixtral.server.api;

import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.error.Excerpt;
import dev.mixtral.error.MixtralException;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.ChatModel.Choice;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.ModelSelection;
import dev.mixtral.server.wire.RequestRules;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// What the endpoints share: settings, models, and the list of what is being generated. Thread-safe.
final class Services {
    private final ServerConfig config;
    private final Keys keys;
    private final Supplier<ServedModels> models;
    private final Consumer<UnaryOperator<ServedModels>> change;
    private final Constraints constraints = new Constraints();
    private final Set<GenerationRun> running = ConcurrentHashMap.newKeySet();

    /// @param models the models that are ready
    /// @param change changes these
    Services(
            ServerConfig config,
            Keys keys,
            Supplier<ServedModels> models,
            Consumer<UnaryOperator<ServedModels>> change) {
        this.config = config;
        this.keys = keys;
        this.models = models;
        this.change = change;
    }

    /// Changes which models are ready; requests that run have the one that they began with.
    void change(UnaryOperator<ServedModels> to) {
        change.accept(to);
    }

    ServerConfig config() {
        return config;
    }

    Constraints constraints() {
        return constraints;
    }

    ServedModels models() {
        return models.get();
    }

    /// Returns what a request to a model is checked against.
    RequestRules rules(Call call, ServedModel served) {
        return new RequestRules(
                call.dialect(),
                served.model().vocabSize(),
                Dialects.defaultTemperature(call.dialect(), call.head()),
                config.maxChoices());
    }

    /// Returns the models to try for a request, in order; at least one.
    ///
    /// @throws ApiException if none of those that it names is served, or its key is good for none of them
    List<ServedModel> select(Call call, ModelSelection selection) {
        List<String> names = selection.names();
        if (names.isEmpty()) {
            ServedModel first = models().models().getFirst();
            call.requireAllowed(first.id());
            return List.of(first);
        }
        List<ServedModel> found = names.stream()
                .map(name -> models().find(name))
                .flatMap(Optional::stream)
                .distinct()
                .toList();
        if (found.isEmpty()) {
            throw new ApiException(notServed(call, names.getFirst()));
        }
        List<ServedModel> allowed =
                found.stream().filter(model -> call.isAllowed(model.id())).toList();
        if (allowed.isEmpty()) {
            call.requireAllowed(found.getFirst().id());
        }
        return allowed;
    }

    private static ApiError notServed(Call call, String name) {
        return call.dialect() == Dialect.OPENROUTER
                ? ApiError.invalid("model", "model_not_found", Excerpt.of(name) + " is not a valid model ID")
                : ApiError.modelNotFound(Excerpt.of(name));
    }

    /// Starts generations.
    ///
    /// @param promptParam the field that holds the prompt, for errors
    /// @throws ApiException if they cannot be accepted
    List<Choice> start(Call call, ChatModel model, List<GenerationRequest> requests, String promptParam) {
        for (GenerationRequest request : requests) {
            if (request.prompt().length >= model.contextLength()) {
                throw new ApiException(
                        ApiError.contextLength(promptParam, model.contextLength(), request.prompt().length));
            }
        }
        try {
            return model.generate(requests);
        } catch (MixtralException e) {
            throw new ApiException(
                    EngineErrors.toApi(e, promptParam, call.head().id()));
        }
    }

    /// Lets a request of a client begin to generate.
    ///
    /// @return what to call when it has ended
    Runnable begin(Call call) {
        return keys.begin(call);
    }

    /// Keeps account of a run until it is closed, and returns it.
    GenerationRun tracked(GenerationRun run) {
        running.add(run);
        run.onClose(() -> running.remove(run));
        return run;
    }

    /// Ends everything that is being generated.
    void cancelAll() {
        running.forEach(GenerationRun::cancel);
    }
}
