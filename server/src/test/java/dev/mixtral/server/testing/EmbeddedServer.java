package dev.mixtral.server.testing;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.api.LoadedModel;
import dev.mixtral.server.api.ServedModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// A server over the model that comes with the program, which clients call `tiny`.
///
/// @param model the model; ends with the server
/// @param server a server on a free port
public record EmbeddedServer(LoadedModel model, TestServer server) implements AutoCloseable {
    /// Loads the model and starts a server.
    public static EmbeddedServer start() throws IOException, InterruptedException {
        Path folder = Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny");
        LoadedModel model = LoadedModel.load(new ModelSpec(folder, "tiny", List.of()), EngineConfig.defaults());
        return new EmbeddedServer(model, TestServer.of(new ServedModels(List.of(model.served()))));
    }

    @Override
    public void close() {
        server.close();
        model.close();
    }
}
