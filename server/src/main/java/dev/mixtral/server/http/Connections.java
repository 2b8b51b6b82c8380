package dev.mixtral.server.http;

import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.Prepared;
import dev.mixtral.server.api.RequestHead;
import dev.mixtral.server.api.ServerApi;
import dev.mixtral.server.wire.ApiError;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;

/// Watches over connections, and takes requests from them. Everything here runs on the event loop, and nothing here
/// blocks.
final class Connections {
    private final ServerConfig config;
    private final ServerApi api;
    private final Vertx vertx;
    private final ExecutorService requests;
    private final Map<HttpConnection, Deadline> deadlines = new HashMap<>();

    Connections(ServerConfig config, ServerApi api, Vertx vertx, ExecutorService requests) {
        this.config = config;
        this.api = api;
        this.vertx = vertx;
        this.requests = requests;
    }

    /// The time by which a connection's next request must have come, headers and all: a sender that drips bytes
    /// holds it open no longer than one that sends none.
    private final class Deadline {
        private final HttpConnection connection;
        private long timer = -1;
        private int numRequests;

        Deadline(HttpConnection connection) {
            this.connection = connection;
        }

        void set(Duration time) {
            clear();
            timer = vertx.setTimer(time.toMillis(), id -> connection.close());
        }

        void clear() {
            if (timer >= 0) {
                vertx.cancelTimer(timer);
                timer = -1;
            }
        }
    }

    /// Takes a new connection, or closes it if there are too many.
    void opened(HttpConnection connection) {
        if (deadlines.size() >= config.maxConnections()) {
            connection.close();
            return;
        }
        Deadline deadline = new Deadline(connection);
        deadlines.put(connection, deadline);
        deadline.set(config.headerTimeout());
        connection.closeHandler(closed -> {
            deadline.clear();
            deadlines.remove(connection);
        });
    }

    /// Takes a request whose headers have been read.
    void request(HttpServerRequest request) {
        Deadline deadline = deadlines.get(request.connection());
        if (deadline == null) {
            request.connection().close();
            return;
        }
        deadline.clear();
        int number = ++deadline.numRequests;
        Prepared prepared = api.prepare(head(request));
        VertxExchange exchange = new VertxExchange(request, prepared, config, vertx);
        exchange.onComplete(() -> {
            // A pipelined request may have begun before the answer to the one before it was out.
            if (deadline.numRequests == number) {
                deadline.set(config.idleTimeout());
            }
        });
        new BodyReader(request, prepared, exchange, config, vertx)
                .read(admitted -> requests.execute(() -> api.handle(admitted, exchange)));
    }

    private static RequestHead head(HttpServerRequest request) {
        Map<String, String> headers = new HashMap<>();
        for (Map.Entry<String, String> header : request.headers()) {
            headers.putIfAbsent(header.getKey(), header.getValue());
        }
        return new RequestHead(
                newId(),
                request.method().name(),
                request.uri(),
                headers,
                request.remoteAddress() == null
                        ? ""
                        : String.valueOf(request.remoteAddress().hostAddress()),
                System.nanoTime());
    }

    private static String newId() {
        return "req_" + UUID.randomUUID().toString().replace("-", "");
    }

    /// Answers what is no HTTP, or too much of it, and closes the connection.
    void invalid(HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        ApiError error = switch (cause) {
            case TooLongHttpLineException _ -> tooLong(414, "request line", config.maxRequestLineBytes());
            case TooLongHttpHeaderException _ -> tooLong(431, "head", config.maxHeaderBytes());
            case null, default -> ApiError.invalid(null, null, "The request is not valid HTTP/1.1.");
        };
        Prepared prepared = api.refuse(new RequestHead(newId(), "GET", "/", Map.of(), "", System.nanoTime()), error);
        VertxExchange exchange = new VertxExchange(request, prepared, config, vertx);
        exchange.onComplete(() -> request.connection().close());
        requests.execute(() -> api.handle(prepared, exchange));
    }

    private static ApiError tooLong(int status, String what, int limit) {
        return new ApiError(
                status,
                "invalid_request_error",
                "request_too_large",
                null,
                "The request's " + what + " takes more than the " + limit + " bytes that this server accepts.",
                0);
    }
}
