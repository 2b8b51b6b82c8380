package dev.mixtral.server.wire;

import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes what clients are told about models: one card that holds every dialect's fields.
public final class ModelCards {
    private static final double DEFAULT_TEMPERATURE = 0.7;
    private static final List<String> PARAMETERS = List.of(
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "typical_p",
            "frequency_penalty",
            "presence_penalty",
            "repetition_penalty",
            "max_tokens",
            "max_completion_tokens",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "seed",
            "response_format",
            "structured_outputs",
            "stop",
            "tools",
            "tool_choice",
            "parallel_tool_calls");

    private ModelCards() {}

    /// What a card says. Immutable.
    ///
    /// @param id the name that answers carry
    /// @param aliases further names
    /// @param created seconds since 1970
    /// @param root file or folder name of the weights
    /// @param description for people
    /// @param contextLength the configured one
    /// @param parent the model that this is an adapter of, or `null`
    public record Card(
            String id,
            List<String> aliases,
            long created,
            String root,
            String description,
            int contextLength,
            @Nullable String parent) {
        public Card {
            aliases = List.copyOf(aliases);
        }
    }

    /// Returns the answer to `GET /v1/models`.
    ///
    /// @param total number of models, of which `cards` are a part
    public static ObjectNode list(List<Card> cards, int total) {
        ArrayNode data = Json.array();
        cards.forEach(card -> data.add(card(card)));
        ObjectNode node = Json.object().put("object", "list");
        node.set("data", data);
        node.set("links", nulls("next"));
        return node.put("total_count", total);
    }

    /// Returns one card.
    public static ObjectNode card(Card card) {
        ObjectNode node = Json.object()
                .put("id", card.id())
                .put("object", "model")
                .put("created", card.created())
                .put("owned_by", "mistralai")
                .put("root", card.root());
        node.put("parent", card.parent());
        node.put("name", card.id())
                .put("description", card.description())
                .put("type", card.parent() == null ? "base" : "fine-tuned");
        node.set("aliases", strings(card.aliases()));
        node.set("capabilities", capabilities());
        node.put("max_context_length", card.contextLength())
                .put("context_length", card.contextLength())
                .put("max_model_len", card.contextLength())
                .put("default_model_temperature", DEFAULT_TEMPERATURE);
        node.set("deprecation", Json.NODES.nullNode());
        if (card.parent() != null) {
            // To Mistral's clients a fine-tuned model without its job is an unknown thing without fields.
            node.put("job", "").put("archived", false);
        }
        putOpenRouter(node, card);
        return node;
    }

    private static ObjectNode capabilities() {
        return Json.object()
                .put("completion_chat", true)
                .put("completion_fim", false)
                .put("function_calling", true)
                .put("fine_tuning", false)
                .put("vision", false)
                .put("classification", false);
    }

    private static void putOpenRouter(ObjectNode node, Card card) {
        node.put("canonical_slug", slug(card));
        node.put("hugging_face_id", "");
        node.set("architecture", architecture());
        node.set("pricing", pricing());
        ObjectNode top = Json.object().put("context_length", card.contextLength());
        top.set("max_completion_tokens", Json.NODES.nullNode());
        node.set("top_provider", top.put("is_moderated", false));
        node.set("per_request_limits", Json.NODES.nullNode());
        node.set("supported_parameters", strings(PARAMETERS));
        node.set("default_parameters", nulls("temperature", "top_p", "frequency_penalty"));
        node.set("supported_voices", Json.NODES.nullNode());
        node.set("links", Json.object().put("details", "/api/v1/models/" + slug(card) + "/endpoints"));
    }

    /// OpenRouter's names have an author.
    private static String slug(Card card) {
        return card.aliases().stream()
                .filter(alias -> alias.contains("/"))
                .findFirst()
                .orElse(card.id().contains("/") ? card.id() : "local/" + card.id());
    }

    private static ObjectNode architecture() {
        ObjectNode node = Json.object().put("modality", "text->text");
        node.set("input_modalities", strings(List.of("text")));
        node.set("output_modalities", strings(List.of("text")));
        return node.put("tokenizer", "Mistral").put("instruct_type", "mistral");
    }

    private static ObjectNode pricing() {
        return Json.object()
                .put("prompt", "0")
                .put("completion", "0")
                .put("request", "0")
                .put("image", "0");
    }

    /// Returns the answer to OpenRouter's question for the endpoints of a model: one, this server.
    public static ObjectNode endpoints(Card card, String provider, String quantization) {
        ObjectNode endpoint = Json.object()
                .put("name", provider + " | " + card.id())
                .put("model_id", card.id())
                .put("model_name", card.id())
                .put("context_length", card.contextLength());
        endpoint.set("pricing", pricing());
        endpoint.put("provider_name", provider).put("tag", provider).put("quantization", quantization);
        endpoint.set("max_completion_tokens", Json.NODES.nullNode());
        endpoint.set("max_prompt_tokens", Json.NODES.nullNode());
        endpoint.set("supported_parameters", strings(PARAMETERS));
        endpoint.put("status", 0);
        for (String figure : List.of(
                "uptime_last_5m", "uptime_last_30m", "uptime_last_1d", "latency_last_30m", "throughput_last_30m")) {
            endpoint.set(figure, Json.NODES.nullNode());
        }
        endpoint.put("supports_implicit_caching", true);
        ObjectNode choices = Json.object();
        List.of("none", "auto", "required", "function").forEach(choice -> choices.put(choice, true));
        endpoint.set("supports_tool_choice", choices);
        ObjectNode data = Json.object()
                .put("id", card.id())
                .put("name", card.id())
                .put("created", card.created())
                .put("description", card.description());
        data.set("architecture", architecture());
        data.set("endpoints", Json.array().add(endpoint));
        ObjectNode node = Json.object();
        node.set("data", data);
        return node;
    }

    private static ArrayNode strings(List<String> values) {
        ArrayNode array = Json.array();
        values.forEach(array::add);
        return array;
    }

    private static ObjectNode nulls(String... names) {
        ObjectNode node = Json.object();
        for (String name : names) {
            node.set(name, Json.NODES.nullNode());
        }
        return node;
    }
}
