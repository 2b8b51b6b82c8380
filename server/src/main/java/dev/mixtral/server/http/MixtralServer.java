package dev.mixtral.server.http;

import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.server.api.ServerApi;
import dev.mixtral.server.batch.BatchApi;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The HTTP server. Thread-safe.
///
/// Listens from [#start] on, and answers requests to models once [#ready] was called; until then, and while it stops,
/// it says so with status 503. Owns its event loop and the threads of its requests, but none of the models.
public final class MixtralServer implements AutoCloseable {
    private static final Duration IO_TIMEOUT = Duration.ofSeconds(10);
    private static final int BACKLOG = 1024;

    private final ServerConfig config;
    private final ServerApi api;
    private final BatchApi batches;
    private final Vertx vertx;
    private final HttpServer http;
    private final ExecutorService requests = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("request-", 0).factory());

    private MixtralServer(ServerConfig config, ServerApi api, BatchApi batches, Vertx vertx) {
        this.config = config;
        this.api = api;
        this.batches = batches;
        this.vertx = vertx;
        this.http = vertx.createHttpServer(options(config));
        Connections connections = new Connections(config, api, vertx, requests);
        http.connectionHandler(connections::opened);
        http.requestHandler(connections::request);
        http.invalidRequestHandler(connections::invalid);
    }

    /// Starts to listen.
    ///
    /// @param observer is told about every request
    /// @param version this program's, for clients that ask
    /// @throws IOException if the address cannot be listened on, or the data folder not be used
    public static MixtralServer start(ServerConfig config, ServerObserver observer, String version)
            throws IOException, InterruptedException {
        ServerApi api = new ServerApi(config, observer, version);
        BatchApi batches = BatchApi.open(config, api);
        // One loop: it moves bytes only, and the processors belong to the model.
        Vertx vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(1)
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(1)
                // A loop that waits for a processor is no fault to warn of: the model keeps all of them busy.
                .setMaxEventLoopExecuteTime(IO_TIMEOUT.toNanos())
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
        MixtralServer server = new MixtralServer(config, api, batches, vertx);
        try {
            await(server.http.listen(config.port(), config.host()));
        } catch (IOException e) {
            server.release();
            throw new IOException(
                    "cannot listen on " + config.host() + " port " + config.port() + ": " + e.getMessage()
                            + ". Choose another --port, or 0 for any free one.",
                    e);
        }
        return server;
    }

    private static HttpServerOptions options(ServerConfig config) {
        return new HttpServerOptions()
                .setAcceptBacklog(BACKLOG)
                .setTcpNoDelay(true)
                .setHttp2ClearTextEnabled(false)
                .setUseAlpn(false)
                .setHandle100ContinueAutomatically(false)
                .setDecompressionSupported(true)
                .setCompressionSupported(false)
                .setMaxInitialLineLength(config.maxRequestLineBytes())
                .setMaxHeaderSize(config.maxHeaderBytes())
                // Idle times are held per request, as a generation may be silent for minutes.
                .setIdleTimeout(0);
    }

    /// Begins to answer requests to models.
    public void ready(ServedModels models) {
        api.ready(models);
    }

    /// Returns the port that it listens on.
    public int port() {
        return http.actualPort();
    }

    /// Returns the address for clients, such as `http://127.0.0.1:8080`.
    public String url() {
        String host = config.host().contains(":") ? "[" + config.host() + "]" : config.host();
        return "http://" + host + ":" + port();
    }

    /// Stops: refuses new requests, lets running ones end within the grace time, ends the rest, and lets go of
    /// everything.
    ///
    /// @return whether every running request could end
    public boolean stop(Duration grace) throws InterruptedException {
        batches.stop();
        api.drain();
        boolean idle = api.awaitIdle(grace);
        if (!idle) {
            api.cancelAll();
            // Their clients are still told why.
            api.awaitIdle(IO_TIMEOUT);
        }
        release();
        return idle;
    }

    /// Stops without a grace time.
    @Override
    public void close() {
        try {
            stop(Duration.ZERO);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void release() throws InterruptedException {
        try (batches) {
            await(vertx.close());
        } catch (IOException e) {
            System.getLogger(MixtralServer.class.getName())
                    .log(System.Logger.Level.WARNING, "the server did not close cleanly", e);
        }
        requests.shutdownNow();
    }

    private static <T> T await(Future<T> future) throws IOException, InterruptedException {
        try {
            return future.toCompletionStage().toCompletableFuture().get(IO_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new IOException("no answer within " + IO_TIMEOUT.toSeconds() + " s", e);
        }
    }
}
