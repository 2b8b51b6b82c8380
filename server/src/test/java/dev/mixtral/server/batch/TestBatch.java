package dev.mixtral.server.batch;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.api.LoadedModel;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.server.api.ServerApi;
import java.nio.file.Path;
import java.util.List;

/// The embedded model behind an API without sockets, and lines for it.
final class TestBatch implements AutoCloseable {
    private final LoadedModel model;
    private final ServerApi api;

    TestBatch(ServerConfig config) {
        model = LoadedModel.load(spec(), EngineConfig.defaults().withNumThreads(1));
        api = new ServerApi(config, ServerObserver.NONE, "test");
        api.ready(new ServedModels(List.of(model.served())));
    }

    static ModelSpec spec() {
        return new ModelSpec(
                Path.of(System.getProperty("mixtral.home"), "models", "mixtral-tiny"), "tiny", List.of(ModelSpec.ANY));
    }

    ServerApi api() {
        return api;
    }

    static String chatLine(String customId) {
        return "{\"custom_id\":\"" + customId + "\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":"
                + "{\"model\":\"any\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"max_tokens\":4}}\n";
    }

    static String completionLine(String customId, String extra) {
        return "{\"custom_id\":\"" + customId + "\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":"
                + "{\"model\":\"any\",\"prompt\":\"Once\",\"max_tokens\":3" + extra + "}}\n";
    }

    @Override
    public void close() {
        model.close();
    }
}
