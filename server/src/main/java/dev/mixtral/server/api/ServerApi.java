package dev.mixtral.server.api;

import dev.mixtral.server.ApiKey;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The API of the server, apart from HTTP's own matters: decides about requests and answers them. Thread-safe.
///
/// [#prepare] decides, before a body is read, whether a request will be answered at all; [#handle] answers it.
public final class ServerApi {
    private static final System.Logger LOG = System.getLogger(ServerApi.class.getName());
    private static final String OTHER = "other";
    private static final int RETRY_SECONDS = 5;

    private final ServerConfig config;
    private final ServerObserver observer;
    private final Keys keys;
    private final Services services;
    private final Routes routes;
    private final AtomicInteger numActive = new AtomicInteger();
    private volatile ServedModels models = new ServedModels(List.of());
    private volatile State state = State.LOADING;

    /// What the server is doing.
    public enum State {
        /// The models are being loaded.
        LOADING,
        /// Requests are answered.
        READY,
        /// Running requests are finished, and no others begun.
        DRAINING
    }

    /// @param config the settings
    /// @param observer is told about every request
    /// @param version this program's
    public ServerApi(ServerConfig config, ServerObserver observer, String version) {
        this.config = config;
        this.observer = observer;
        this.keys = new Keys(config.apiKeys(), config.maxRequestsPerKey());
        this.services = new Services(config, keys, () -> models, this::change);
        this.routes = new Routes(services, this::state, observer, version);
    }

    /// Adds endpoints, before the first request.
    public void add(List<Route> more) {
        routes.add(more);
    }

    /// Begins to answer requests to models.
    public synchronized void ready(ServedModels served) {
        models = served;
        state = State.READY;
    }

    private synchronized void change(UnaryOperator<ServedModels> to) {
        models = to.apply(models);
    }

    /// Lets running requests go on, and refuses others from now on.
    public void drain() {
        state = State.DRAINING;
    }

    /// Returns what the server is doing.
    public State state() {
        return state;
    }

    /// Waits until no request is running.
    ///
    /// @return whether none is left
    public boolean awaitIdle(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (numActive.get() > 0 && System.nanoTime() < deadline) {
            Thread.sleep(Duration.ofMillis(20));
        }
        return numActive.get() == 0;
    }

    /// Ends all generations, each with an error.
    public void cancelAll() {
        services.cancelAll();
    }

    /// Returns the routes, for documents and tests.
    List<Route> routes() {
        return routes.all();
    }

    /// Decides about a request before its body is read.
    public Prepared prepare(RequestHead head) {
        RequestPath path = RequestPath.parse(head.target());
        List<String> segments = path == null ? List.of() : path.segments();
        Dialect dialect = Dialects.of(head, segments, config.dialect());
        Map<String, String> headers = answerHeaders(head);
        if (path == null) {
            return settled(
                    head, dialect, headers, ApiError.invalid(null, null, "The URL of the request is malformed."));
        }
        if (head.method().equals("OPTIONS")) {
            return settled(head, dialect, headers, null);
        }
        String method = head.method().equals("HEAD") ? "GET" : head.method();
        Routes.Match match = routes.find(method, segments);
        if (match == null) {
            return settled(head, dialect, headers, noRoute(head, path, headers));
        }
        Prepared prepared = prepared(head, dialect, match, path, null, headers);
        return admitted(prepared, match.route());
    }

    /// Settles a request that breaks the rules of HTTP: its answer is an error, and the connection ends with it.
    public Prepared refuse(RequestHead head, ApiError error) {
        Map<String, String> headers = answerHeaders(head);
        headers.put("connection", "close");
        return settled(head, config.dialect(), headers, error);
    }

    private static Prepared prepared(
            RequestHead head,
            Dialect dialect,
            Routes.Match match,
            RequestPath path,
            @Nullable ApiKey key,
            Map<String, String> headers) {
        return new Prepared(
                head,
                dialect,
                match.route().template(),
                match.route(),
                match.parameters(),
                path.query(),
                key,
                null,
                headers);
    }

    /// Decides about a request that this program makes by itself, to a path that is there: nobody shows a key for it.
    ///
    /// @param key on whose behalf it is made, or `null` for nobody's
    public Prepared prepareInternal(RequestHead head, @Nullable ApiKey key) {
        RequestPath path = RequestPath.parse(head.target());
        Routes.Match match = path == null ? null : routes.find(head.method(), path.segments());
        if (path == null || match == null) {
            throw new IllegalArgumentException("there is no endpoint " + head.method() + " " + head.target());
        }
        Dialect dialect = Dialects.of(head, path.segments(), config.dialect());
        Prepared prepared = prepared(head, dialect, match, path, key, Map.of());
        return match.route().needsModel() && state != State.READY ? prepared.withError(notReady(state)) : prepared;
    }

    private Prepared admitted(Prepared prepared, Route route) {
        ApiKey key;
        try {
            boolean needsKey =
                    route.access() == Access.KEY || (route.access() == Access.METRICS && config.protectMetrics());
            key = needsKey ? keys.check(prepared.head()) : null;
        } catch (ApiException e) {
            return prepared.withError(e.error());
        }
        if (route.needsModel() && state != State.READY) {
            return prepared.withError(notReady(state));
        }
        return new Prepared(
                prepared.head(),
                prepared.dialect(),
                prepared.endpoint(),
                route,
                prepared.parameters(),
                prepared.query(),
                key,
                null,
                prepared.answerHeaders());
    }

    private static Prepared settled(
            RequestHead head, Dialect dialect, Map<String, String> headers, @Nullable ApiError error) {
        return new Prepared(head, dialect, OTHER, null, Map.of(), Map.of(), null, error, headers);
    }

    private ApiError noRoute(RequestHead head, RequestPath path, Map<String, String> headers) {
        TreeSet<String> allowed = new TreeSet<>(routes.methods(path.segments()));
        if (allowed.isEmpty()) {
            return ApiError.notFound("Invalid URL (" + head.method() + " " + path.text() + ")");
        }
        if (allowed.contains("GET")) {
            allowed.add("HEAD");
        }
        allowed.add("OPTIONS");
        headers.put("allow", String.join(", ", allowed));
        return ApiError.methodNotAllowed(head.method(), String.join(", ", allowed));
    }

    /// Returns why a request to a model cannot be answered now.
    static ApiError notReady(State state) {
        return state == State.LOADING
                ? ApiError.unavailable("model_loading", "The model is being loaded. Try again soon.", RETRY_SECONDS)
                : ApiError.unavailable(
                        "overloaded", "The server is shutting down and takes no more requests.", RETRY_SECONDS);
    }

    private Map<String, String> answerHeaders(RequestHead head) {
        Map<String, String> headers = new HashMap<>();
        headers.put("x-request-id", head.id());
        headers.put("openai-version", "2020-10-01");
        if (!config.corsOrigin().isEmpty()) {
            headers.put("access-control-allow-origin", config.corsOrigin());
            headers.put("access-control-expose-headers", "x-request-id, retry-after, retry-after-ms");
            if (!config.corsOrigin().equals("*")) {
                headers.put("vary", "origin");
            }
            if (head.method().equals("OPTIONS")) {
                headers.put("access-control-allow-methods", "GET, POST, DELETE, OPTIONS");
                // A star does not cover Authorization, and SDKs add headers of their own.
                headers.put(
                        "access-control-allow-headers",
                        head.headers().getOrDefault("access-control-request-headers", "authorization, content-type"));
                headers.put("access-control-max-age", "86400");
            }
        }
        return headers;
    }

    /// Answers a request, and returns when the answer is complete or its client has gone.
    public void handle(Prepared prepared, Exchange exchange) {
        if (observer.wantsContent()) {
            RecordingExchange recording = new RecordingExchange(exchange, ServerObserver.MAX_CONTENT_BYTES);
            carryOut(prepared, recording);
            observer.content(prepared.head().id(), recording.request(), recording.answer());
        } else {
            carryOut(prepared, exchange);
        }
    }

    private void carryOut(Prepared prepared, Exchange exchange) {
        numActive.incrementAndGet();
        Call call = new Call(prepared, exchange);
        observer.requestStarted(prepared.head().id(), prepared.endpoint());
        try {
            answer(prepared, call);
        } finally {
            observer.requestEnded(call.report());
            numActive.decrementAndGet();
        }
    }

    private void answer(Prepared prepared, Call call) {
        try {
            Route route = prepared.route();
            if (prepared.error() != null) {
                call.respond(prepared.error());
            } else if (route == null) {
                call.respond(204, Map.of(), new byte[0]);
            } else {
                route.handler().handle(call);
            }
        } catch (ApiException e) {
            call.respond(e.error());
        } catch (ClientGoneException e) {
            call.failed("the client went away");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            call.respond(notReady(State.DRAINING));
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            LOG.log(System.Logger.Level.ERROR, "request " + prepared.head().id() + " failed", e);
            call.respond(ApiError.internal(prepared.head().id()));
        }
    }
}
