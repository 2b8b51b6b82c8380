package dev.mixtral.server.wire;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Requests to load and unload adapters, in vLLM's form.
public final class AdapterRequests {
    private AdapterRequests() {}

    /// A request to load an adapter.
    ///
    /// @param name what clients will call it
    /// @param path where it lies on the server
    /// @param baseModel id of the model that it is for; `null` for the default one
    public record Load(String name, String path, @Nullable String baseModel) {}

    /// Reads a request to load an adapter.
    ///
    /// @throws ApiException if it lacks something
    public static Load load(ObjectNode body) {
        Fields request = new Fields(body, "");
        String name = request.string("lora_name");
        String path = request.string("lora_path");
        if (name == null || name.isBlank() || path == null || path.isBlank()) {
            throw ApiException.invalid(
                    name == null || name.isBlank() ? "lora_name" : "lora_path",
                    "missing_required_parameter",
                    "Both 'lora_name' and 'lora_path' must be provided.");
        }
        return new Load(name, path, request.string("base_model_name"));
    }

    /// Reads the name of the adapter to unload.
    ///
    /// @throws ApiException if there is none
    public static String unload(ObjectNode body) {
        String name = new Fields(body, "").string("lora_name");
        if (name == null || name.isBlank()) {
            throw ApiException.invalid(
                    "lora_name",
                    "missing_required_parameter",
                    "'lora_name' needs to be provided to unload a LoRA adapter.");
        }
        return name;
    }
}
