package dev.mixtral.server.batch;

import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.Access;
import dev.mixtral.server.api.Call;
import dev.mixtral.server.api.Route;
import dev.mixtral.server.api.ServerApi;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The endpoints for files and batches, and the work behind them. Thread-safe.
///
/// Without a data folder in the settings, they say how to get one.
public final class BatchApi implements AutoCloseable {
    private static final String GET = "GET";
    private static final String POST = "POST";

    private final @Nullable BatchService service;

    private BatchApi(@Nullable BatchService service) {
        this.service = service;
    }

    /// Adds the endpoints to an API, and goes on with the batches of the data folder once that API is ready.
    ///
    /// @throws IOException if the data folder cannot be used, or another server uses it
    public static BatchApi open(ServerConfig config, ServerApi api) throws IOException {
        BatchApi result = new BatchApi(config.dataDir().isEmpty() ? null : BatchService.open(config, api));
        api.add(result.routes());
        return result;
    }

    private List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        Function<BatchService, FilesHandler> files = FilesHandler::new;
        routes.add(route(POST, "/v1/files", (on, call) -> files.apply(on).create(call)));
        routes.add(route(GET, "/v1/files", (on, call) -> files.apply(on).list(call)));
        routes.add(
                route(GET, "/v1/files/{file_id}", (on, call) -> files.apply(on).get(call)));
        routes.add(route(
                "DELETE", "/v1/files/{file_id}", (on, call) -> files.apply(on).delete(call)));
        routes.add(route(
                GET,
                "/v1/files/{file_id}/content",
                (on, call) -> files.apply(on).content(call)));
        Function<BatchService, BatchesHandler> batches = BatchesHandler::new;
        routes.add(route(POST, "/v1/batches", (on, call) -> batches.apply(on).create(call)));
        routes.add(route(GET, "/v1/batches", (on, call) -> batches.apply(on).list(call)));
        routes.add(route(
                GET, "/v1/batches/{batch_id}", (on, call) -> batches.apply(on).get(call)));
        routes.add(route(
                POST,
                "/v1/batches/{batch_id}/cancel",
                (on, call) -> batches.apply(on).cancel(call)));
        return routes;
    }

    private interface Handler {
        void handle(BatchService on, Call call);
    }

    private Route route(String method, String template, Handler handler) {
        return new Route(method, template, Access.KEY, false, call -> handler.handle(requireOn(), call));
    }

    private BatchService requireOn() {
        if (service == null) {
            throw new ApiException(ApiError.notFound("Files and batches are off on this server. To keep them, start it"
                    + " with --data-dir FOLDER, or set MIXTRAL_DATA_DIR."));
        }
        return service;
    }

    /// Begins no more requests of batches; those that run are finished.
    public void stop() {
        if (service != null) {
            service.stop();
        }
    }

    /// Ends everything; what is not done is left to the next start.
    @Override
    public void close() throws IOException {
        if (service != null) {
            service.close();
        }
    }
}
