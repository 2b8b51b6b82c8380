package dev.mixtral.server.api;

import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.Json;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers questions about the server, and requests for what it does not do. Thread-safe.
final class InfoHandler {
    private final Services services;
    private final String version;

    /// @param version this program's
    InfoHandler(Services services, String version) {
        this.services = services;
        this.version = version;
    }

    /// `GET /version`.
    void version(Call call) {
        call.respond(200, Json.object().put("version", version).put("name", "mixtral-java"));
    }

    /// `GET /props`: llama.cpp's word for what runs here.
    void props(Call call) {
        ServedModel served = services.models().models().getFirst();
        ObjectNode settings = Json.object().put("n_ctx", served.model().contextLength());
        ObjectNode answer = Json.object();
        answer.set("default_generation_settings", settings);
        answer.put("total_slots", services.config().engine().maxNumSeqs())
                .put("model_path", served.root())
                .put("model_alias", served.id())
                .put("quantization", served.quantization())
                .put("context_length", served.model().contextLength())
                .put("build_info", "mixtral-java " + version)
                .put("system_fingerprint", served.model().fingerprint());
        call.respond(200, answer);
    }

    /// `GET /api/v1/key`: a key without limits.
    void key(Call call) {
        ObjectNode data = Json.object().put("label", call.client());
        data.set("limit", Json.NODES.nullNode());
        data.set("limit_remaining", Json.NODES.nullNode());
        for (String name : List.of("limit_reset", "organization_id", "creator_user_id", "workspace_id", "expires_at")) {
            data.set(name, Json.NODES.nullNode());
        }
        for (String period : List.of("", "_daily", "_weekly", "_monthly")) {
            data.put("usage" + period, 0).put("byok_usage" + period, 0);
        }
        for (String name :
                List.of("is_free_tier", "is_management_key", "is_provisioning_key", "include_byok_in_limit")) {
            data.put(name, false);
        }
        data.set("allowed_data_regions", Json.array());
        data.set(
                "free_model_daily_requests",
                Json.object().put("limit", 0).put("remaining", 0).put("used", 0));
        data.set(
                "rate_limit",
                Json.object()
                        .put("interval", "1s")
                        .put("note", "There is no limit over time.")
                        .put("requests", -1));
        call.respond(200, wrapped(data));
    }

    /// `GET /api/v1/credits`: nothing costs anything.
    void credits(Call call) {
        call.respond(200, wrapped(Json.object().put("total_credits", 0).put("total_usage", 0)));
    }

    /// `GET /api/v1/generation?id=`: past answers are not kept.
    void generation(Call call) {
        String id = Objects.requireNonNullElse(call.query("id"), "");
        call.respond(ApiError.notFound("Generation " + id + " not found: this server keeps no answers."));
    }

    /// `GET /api/v1/providers`: this server alone.
    void providers(Call call) {
        String slug = services.config().providerSlug();
        ObjectNode provider = Json.object().put("name", slug).put("slug", slug);
        for (String link : List.of("privacy_policy_url", "terms_of_service_url", "status_page_url")) {
            provider.set(link, Json.NODES.nullNode());
        }
        ArrayNode data = Json.array().add(provider);
        ObjectNode answer = Json.object();
        answer.set("data", data);
        call.respond(200, answer);
    }

    /// `POST /v1/embeddings`: a Mixtral embeds nothing.
    void embeddings(Call call) {
        call.respond(ApiError.invalid(
                "model",
                "model_not_supported",
                "Embeddings are not available: this server's models generate text. Use a model made for embeddings."));
    }

    private static ObjectNode wrapped(ObjectNode data) {
        ObjectNode answer = Json.object();
        answer.set("data", data);
        return answer;
    }
}
