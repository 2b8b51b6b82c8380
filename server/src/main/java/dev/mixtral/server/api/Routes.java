package dev.mixtral.server.api;

import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.api.ServerApi.State;
import dev.mixtral.server.wire.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// All endpoints of the server. Immutable.
final class Routes {
    private static final String GET = "GET";
    private static final String POST = "POST";

    private final List<Route> routes = new ArrayList<>();
    private final StaticFiles files = new StaticFiles();
    private final Supplier<State> state;

    /// @param state what the server is doing
    Routes(Services services, Supplier<State> state, ServerObserver observer, String version) {
        this.state = state;
        addGeneration(services);
        addModels(services);
        addAdapters(services);
        addProbes(observer);
        addInformation(services, version);
        OpenApiHandler openApi = new OpenApiHandler();
        routes.add(new Route(GET, "/openapi.json", Access.OPEN, false, openApi::document));
        routes.add(new Route(GET, "/docs", Access.OPEN, false, openApi::page));
    }

    private void addGeneration(Services services) {
        CompletionsHandler completions = new CompletionsHandler(services);
        ChatHandler chat = new ChatHandler(services, completions);
        routes.addAll(Route.of(
                POST,
                List.of("/v1/chat/completions", "/api/v1/chat/completions", "/chat/completions"),
                Access.KEY,
                true,
                chat::handle));
        routes.add(new Route(POST, "/v1/fim/completions", Access.KEY, true, chat::fim));
        routes.addAll(Route.of(
                POST, List.of("/v1/completions", "/api/v1/completions"), Access.KEY, true, completions::handle));
        ResponsesHandler responses = new ResponsesHandler(services);
        routes.addAll(
                Route.of(POST, List.of("/v1/responses", "/api/v1/responses"), Access.KEY, true, responses::handle));
        TokensHandler tokens = new TokensHandler(services);
        routes.addAll(Route.of(POST, List.of("/tokenize", "/v1/tokenize"), Access.KEY, true, tokens::tokenize));
        routes.addAll(Route.of(POST, List.of("/detokenize", "/v1/detokenize"), Access.KEY, true, tokens::detokenize));
    }

    private void addModels(Services services) {
        ModelsHandler models = new ModelsHandler(services);
        routes.addAll(Route.of(
                GET, List.of("/v1/models", "/api/v1/models", "/api/v1/models/user"), Access.KEY, true, models::list));
        routes.add(new Route(GET, "/api/v1/models/count", Access.KEY, true, models::count));
        routes.add(new Route(GET, "/api/v1/model/{id+}", Access.KEY, true, models::wrapped));
        routes.add(new Route(GET, "/api/v1/models/{id+}/endpoints", Access.KEY, true, models::endpoints));
        routes.addAll(
                Route.of(GET, List.of("/v1/models/{id+}", "/api/v1/models/{id+}"), Access.KEY, true, models::get));
    }

    private void addAdapters(Services services) {
        AdaptersHandler adapters = new AdaptersHandler(services);
        routes.add(new Route(POST, "/v1/load_lora_adapter", Access.KEY, true, adapters::load));
        routes.add(new Route(POST, "/v1/unload_lora_adapter", Access.KEY, true, adapters::unload));
    }

    private void addProbes(ServerObserver observer) {
        routes.addAll(Route.of(GET, List.of("/health", "/healthz", "/readyz"), Access.OPEN, false, this::health));
        routes.add(new Route(GET, "/livez", Access.OPEN, false, call -> call.respond(200, ok())));
        routes.add(new Route(
                GET,
                "/metrics",
                Access.METRICS,
                false,
                call -> call.respond(
                        200,
                        Map.of("content-type", "text/plain; version=0.0.4; charset=utf-8"),
                        observer.metricsText().getBytes(StandardCharsets.UTF_8))));
    }

    private void addInformation(Services services, String version) {
        InfoHandler info = new InfoHandler(services, version);
        routes.add(new Route(GET, "/version", Access.OPEN, false, info::version));
        routes.add(new Route(GET, "/props", Access.KEY, true, info::props));
        routes.add(new Route(GET, "/api/v1/key", Access.KEY, true, info::key));
        routes.add(new Route(GET, "/api/v1/credits", Access.KEY, true, info::credits));
        routes.add(new Route(GET, "/api/v1/generation", Access.KEY, true, info::generation));
        routes.add(new Route(GET, "/api/v1/providers", Access.KEY, true, info::providers));
        routes.add(new Route(POST, "/v1/embeddings", Access.KEY, true, info::embeddings));
    }

    /// Adds endpoints, before the first request.
    void add(List<Route> more) {
        routes.addAll(more);
    }

    private void health(Call call) {
        State now = state.get();
        if (now == State.READY) {
            call.respond(200, ok());
        } else {
            call.respond(ServerApi.notReady(now));
        }
    }

    private static ObjectNode ok() {
        return Json.object().put("status", "ok");
    }

    /// A route, and the values of its path's names.
    record Match(Route route, Map<String, String> parameters) {}

    /// Returns the route of a request, or `null` if there is none; files of the web page come last.
    @Nullable
    Match find(String method, List<String> segments) {
        for (Route route : routes) {
            Map<String, String> parameters = route.method().equals(method) ? route.match(segments) : null;
            if (parameters != null) {
                return new Match(route, parameters);
            }
        }
        return method.equals(GET) && files.has(segments) ? new Match(fileRoute(segments), Map.of()) : null;
    }

    private Route fileRoute(List<String> segments) {
        return new Route(GET, "/", Access.OPEN, false, call -> files.send(call, segments));
    }

    /// Returns the methods that a path has.
    Set<String> methods(List<String> segments) {
        Set<String> methods = new HashSet<>();
        for (Route route : routes) {
            if (route.match(segments) != null) {
                methods.add(route.method());
            }
        }
        if (files.has(segments)) {
            methods.add(GET);
        }
        return methods;
    }

    /// Returns every endpoint, apart from the files of the web page.
    List<Route> all() {
        return List.copyOf(routes);
    }
}
