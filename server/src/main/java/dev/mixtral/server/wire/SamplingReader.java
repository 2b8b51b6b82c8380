package dev.mixtral.server.wire;

import dev.mixtral.error.Excerpt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Reads the sampling fields, which chat and text completions share.
final class SamplingReader {
    static final int MAX_TOP_LOGPROBS = 20;
    private static final int MAX_STOPS = 4;
    private static final double MIN_REPETITION_PENALTY = 1e-3;

    private SamplingReader() {}

    /// @param rules what depends on the model and the dialect
    /// @param maxTokens the limit, read by the caller: its name and default differ
    /// @param topLogprobs read by the caller: its form differs
    static Sampling read(
            Fields request, RequestRules rules, @Nullable Integer maxTokens, @Nullable Integer topLogprobs) {
        Long seed = request.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE);
        Long randomSeed = request.integer("random_seed", Long.MIN_VALUE, Long.MAX_VALUE);
        return new Sampling(
                request.decimal("temperature", 0, 2, rules.defaultTemperature()),
                request.decimal("top_p", 0, 1, 1),
                request.integer("top_k", 0, Integer.MAX_VALUE, 0),
                request.decimal("min_p", 0, 1, 0),
                request.decimal("typical_p", 0, 1, 1),
                request.decimal("repetition_penalty", MIN_REPETITION_PENALTY, 2, 1),
                request.decimal("presence_penalty", -2, 2, 0),
                request.decimal("frequency_penalty", -2, 2, 0),
                logitBias(request, rules.vocabSize()),
                seed == null ? randomSeed : seed,
                maxTokens,
                stop(request),
                topLogprobs);
    }

    private static Map<Integer, Float> logitBias(Fields request, int vocabSize) {
        Fields bias = request.object("logit_bias");
        if (bias == null) {
            return Map.of();
        }
        Map<Integer, Float> values = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : bias.node().properties()) {
            String param = "logit_bias";
            int id = tokenId(entry.getKey());
            if (id < 0 || id >= vocabSize) {
                throw ApiException.invalid(
                        param,
                        "invalid_value",
                        "Invalid key in 'logit_bias': '" + Excerpt.of(entry.getKey())
                                + "'. Keys must be token ids between 0 and " + (vocabSize - 1) + ".");
            }
            values.put(id, (float) Fields.decimal(entry.getValue(), param, -100, 100));
        }
        return values;
    }

    private static int tokenId(String key) {
        // Nine digits fit an int, and no vocabulary is larger.
        return key.matches("[0-9]{1,9}") ? Integer.parseInt(key) : -1;
    }

    private static List<String> stop(Fields request) {
        JsonNode node = request.get("stop");
        if (node == null) {
            return List.of();
        }
        if (node.isString()) {
            return node.stringValue().isEmpty() ? List.of() : List.of(node.stringValue());
        }
        if (!node.isArray()) {
            throw Fields.wrongType("stop", "a string or an array of strings", node);
        }
        if (node.size() > MAX_STOPS) {
            throw Fields.tooLong("stop", MAX_STOPS, node.size());
        }
        List<String> stops = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            if (!node.get(i).isString()) {
                throw Fields.wrongType("stop[" + i + "]", "a string", node.get(i));
            }
            if (!node.get(i).stringValue().isEmpty()) {
                stops.add(node.get(i).stringValue());
            }
        }
        return stops;
    }
}
