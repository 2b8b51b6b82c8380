package dev.mixtral.server.api;

import dev.mixtral.error.MixtralException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.server.AdapterSpec;
import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.wire.AdapterRequests;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Loads and unloads adapters while the server runs, as vLLM does. Thread-safe: one at a time.
final class AdaptersHandler {
    private final Services services;
    private final Object lock = new Object();

    AdaptersHandler(Services services) {
        this.services = services;
    }

    /// `POST /v1/load_lora_adapter`.
    void load(Call call) {
        requireSwitchedOn();
        AdapterRequests.Load request = AdapterRequests.load(call.json());
        ServedModel base = base(request.baseModel());
        call.requireAllowed(base.id());
        AdapterSpec adapter = spec(request);
        synchronized (lock) {
            if (isTaken(adapter.name()) || isTaken(base.id() + ":" + adapter.name())) {
                throw ApiException.invalid(
                        "lora_name",
                        "invalid_value",
                        "The lora adapter '" + adapter.name() + "' has already been loaded, or a model has its name.");
            }
            load(base, adapter);
            services.change(models -> models.with(base.adapter(adapter)));
        }
        succeed(call, "Success: LoRA adapter '" + adapter.name() + "' added successfully.");
    }

    private static void load(ServedModel base, AdapterSpec adapter) {
        try {
            base.model().loadAdapter(adapter);
        } catch (ModelNotFoundException e) {
            throw new ApiException(ApiError.notFound(String.valueOf(e.getMessage())));
        } catch (MixtralException | UncheckedIOException e) {
            throw ApiException.invalid("lora_path", "invalid_value", String.valueOf(e.getMessage()));
        }
    }

    private static AdapterSpec spec(AdapterRequests.Load request) {
        try {
            if (!request.name().equals(ModelSpec.ANY)) {
                return new AdapterSpec(request.name(), Path.of(request.path()));
            }
        } catch (InvalidPathException e) {
            throw ApiException.invalid("lora_path", "invalid_value", "Invalid 'lora_path': " + e.getMessage());
        }
        throw ApiException.invalid("lora_name", "invalid_value", "Invalid 'lora_name': it means any model.");
    }

    /// `POST /v1/unload_lora_adapter`.
    void unload(Call call) {
        requireSwitchedOn();
        String name = AdapterRequests.unload(call.json());
        synchronized (lock) {
            ServedModel served = services.models().models().stream()
                    .filter(model -> model.parent() != null && model.isCalled(name))
                    .findFirst()
                    .orElseThrow(() ->
                            new ApiException(ApiError.notFound("The lora adapter '" + name + "' cannot be found.")));
            call.requireAllowed(String.valueOf(served.parent()));
            services.change(models -> models.without(served.id()));
            served.model().unloadAdapter(served.aliases().getFirst());
        }
        succeed(call, "Success: LoRA adapter '" + name + "' removed successfully.");
    }

    private void requireSwitchedOn() {
        if (!services.config().allowRuntimeLoraUpdating()) {
            throw new ApiException(ApiError.notFound("This server does not load adapters at run time. Start it with"
                    + " --allow-runtime-lora-updating, or name adapters with --lora NAME=PATH."));
        }
    }

    private ServedModel base(@Nullable String name) {
        ServedModels models = services.models();
        if (name == null) {
            return models.models().getFirst();
        }
        return models.find(name)
                .filter(model -> model.parent() == null)
                .orElseThrow(() -> new ApiException(ApiError.modelNotFound(name)));
    }

    private boolean isTaken(String name) {
        return services.models().models().stream().anyMatch(model -> model.isCalled(name));
    }

    private static void succeed(Call call, String text) {
        call.respond(200, Map.of("content-type", "text/plain; charset=utf-8"), text.getBytes(StandardCharsets.UTF_8));
    }
}
