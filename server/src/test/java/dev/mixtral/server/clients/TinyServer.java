package dev.mixtral.server.clients;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.engine.EngineStats;
import dev.mixtral.server.ApiKey;
import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.LoadedModel;
import dev.mixtral.server.api.Observers;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.server.http.MixtralServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// A server with the embedded model, on a free port; one for all tests that ask for it.
record TinyServer(MixtralServer server, LoadedModel model) implements AutoCloseable {
    static final String MODEL = "mixtral-tiny";
    static final String KEY = "key-of-the-tests";

    /// The end of a sequence: banning it makes an answer that does not end by itself.
    static final int EOS = 2;

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /// Passes the server to constructors; JUnit ends it after the last test.
    static final class Extension implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == TinyServer.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getRoot()
                    .getStore(Namespace.create(TinyServer.class))
                    .computeIfAbsent(TinyServer.class, key -> start(), TinyServer.class);
        }
    }

    private static TinyServer start() {
        Path folder = Path.of(System.getProperty("mixtral.home", ".."), "models", MODEL);
        ModelSpec spec = new ModelSpec(folder, MODEL, List.of("open-mixtral-8x7b"));
        EngineConfig engine = EngineConfig.defaults().withNumThreads(1);
        ServerConfig config = ServerConfig.builder()
                .port(0)
                .models(List.of(spec))
                .engine(engine)
                .apiKeys(List.of(
                        new ApiKey("tests", KEY, Set.of()), new ApiKey("busy", "key-of-a-busy-client", Set.of())))
                .maxRequestsPerKey(2)
                .build();
        try {
            MixtralServer server = MixtralServer.start(config, new Observers(List.of()), "test");
            LoadedModel model = LoadedModel.load(spec, engine);
            server.ready(new ServedModels(List.of(model.served())));
            return new TinyServer(server, model);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the server starts", e);
        }
    }

    /// Returns the base URL that OpenAI's and Mistral's clients take.
    String baseUrl() {
        return server.url() + "/v1";
    }

    /// Returns how many sequences the engine computes or keeps waiting.
    int numActive() {
        EngineStats stats = model.engine().stats();
        return stats.numRunning() + stats.numWaiting();
    }

    /// Waits until nothing is computed any more.
    ///
    /// @throws AssertionError if that takes longer than a cancelled request may
    void awaitIdle() throws InterruptedException {
        Instant end = Instant.now().plus(PATIENCE);
        while (numActive() > 0) {
            if (Instant.now().isAfter(end)) {
                throw new AssertionError("still computing " + PATIENCE + " after the client went away: "
                        + model.engine().stats());
            }
            Thread.sleep(10);
        }
    }

    @Override
    public void close() {
        server.close();
        model.close();
    }
}
