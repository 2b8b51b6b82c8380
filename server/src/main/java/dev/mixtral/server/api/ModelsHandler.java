package dev.mixtral.server.api;

import dev.mixtral.server.Dialect;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.Json;
import dev.mixtral.server.wire.ModelCards;
import dev.mixtral.server.wire.ModelCards.Card;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Answers what is served. Thread-safe.
final class ModelsHandler {
    private final Services services;

    ModelsHandler(Services services) {
        this.services = services;
    }

    /// `GET /v1/models`.
    void list(Call call) {
        List<Card> all = allowed(call);
        int offset = number(call, "offset", 0);
        int limit = number(call, "limit", Integer.MAX_VALUE);
        List<Card> page = all.stream().skip(offset).limit(limit).toList();
        call.respond(200, ModelCards.list(page, all.size()));
    }

    private static int number(Call call, String name, int otherwise) {
        String text = call.query(name);
        if (text == null || text.isEmpty()) {
            return otherwise;
        }
        if (!text.matches("[0-9]{1,9}")) {
            throw ApiException.invalid(
                    name, "invalid_type", "Invalid type for '" + name + "': expected a non-negative integer.");
        }
        return Integer.parseInt(text);
    }

    /// `GET /v1/models/{id}`.
    void get(Call call) {
        call.respond(200, ModelCards.card(card(find(call, call.parameter("id")))));
    }

    /// `GET /api/v1/model/{author}/{slug}`: the card in OpenRouter's wrapping.
    void wrapped(Call call) {
        ObjectNode answer = Json.object();
        answer.set("data", ModelCards.card(card(find(call, call.parameter("id")))));
        call.respond(200, answer);
    }

    /// `GET /api/v1/models/count`.
    void count(Call call) {
        ObjectNode answer = Json.object();
        answer.set("data", Json.object().put("count", allowed(call).size()));
        call.respond(200, answer);
    }

    private List<Card> allowed(Call call) {
        return services.models().models().stream()
                .filter(served -> call.isAllowed(served.id()))
                .map(ModelsHandler::card)
                .toList();
    }

    /// `GET /api/v1/models/{author}/{slug}/endpoints`.
    void endpoints(Call call) {
        ServedModel served = find(call, call.parameter("id"));
        call.respond(200, ModelCards.endpoints(card(served), services.config().providerSlug(), served.quantization()));
    }

    private ServedModel find(Call call, String name) {
        ServedModel served = services.models()
                .find(name.startsWith("local/") ? name.substring("local/".length()) : name)
                .orElseThrow(() -> new ApiException(
                        call.dialect() == Dialect.OPENROUTER
                                ? ApiError.notFound("Model not found: " + name)
                                : ApiError.modelNotFound(name)));
        call.requireAllowed(served.id());
        return served;
    }

    static Card card(ServedModel served) {
        return new Card(
                served.id(),
                served.aliases(),
                served.created(),
                served.root(),
                served.description(),
                served.model().contextLength(),
                served.parent());
    }
}
