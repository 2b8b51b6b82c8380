package dev.mixtral.server.wire;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The models that a request names, in the order to try them. Immutable.
///
/// @param names `model`, then OpenRouter's `models`; empty if neither is given
public record ModelSelection(List<String> names) {
    public ModelSelection {
        names = List.copyOf(names);
    }

    /// Reads `model` alone, which is required.
    public static ModelSelection single(ObjectNode body) {
        return new ModelSelection(List.of(new Fields(body, "").requiredString("model")));
    }

    /// Reads `model` and its fallbacks, and holds OpenRouter's wishes for a provider against this only one.
    ///
    /// @param provider this server's slug
    /// @throws ApiException if the wishes exclude this server
    public static ModelSelection withFallbacks(ObjectNode body, String provider) {
        Fields request = new Fields(body, "");
        List<String> names = new ArrayList<>();
        String model = request.string("model");
        if (model != null) {
            names.add(model);
        }
        names.addAll(strings(request, "models"));
        Fields wishes = request.object("provider");
        if (wishes != null) {
            checkProvider(wishes, provider);
        }
        return new ModelSelection(names.stream().distinct().toList());
    }

    private static void checkProvider(Fields wishes, String provider) {
        List<String> only = strings(wishes, "only");
        List<String> ignore = strings(wishes, "ignore");
        List<String> order = strings(wishes, "order");
        boolean fallbacks = wishes.bool("allow_fallbacks", true);
        wishes.bool("require_parameters", false);
        boolean excluded = (!only.isEmpty() && !only.contains(provider))
                || ignore.contains(provider)
                || (!fallbacks && !order.isEmpty() && !order.contains(provider));
        if (excluded || isBelowOurPrice(wishes)) {
            throw new ApiException(ApiError.notFound("No allowed providers are available for the selected model."));
        }
    }

    /// Ours is 0, so only a negative price is below it.
    private static boolean isBelowOurPrice(Fields wishes) {
        Fields max = wishes.object("max_price");
        if (max == null) {
            return false;
        }
        for (String part : List.of("prompt", "completion", "request", "image")) {
            JsonNode price = max.get(part);
            if (price != null && amount(price, max.param(part)).signum() < 0) {
                return true;
            }
        }
        return false;
    }

    private static BigDecimal amount(JsonNode price, String param) {
        if (price.isNumber() && Double.isFinite(price.doubleValue())) {
            return price.decimalValue();
        }
        try {
            if (price.isString()) {
                return new BigDecimal(price.stringValue());
            }
        } catch (NumberFormatException e) {
            throw ApiException.invalid(
                    param, "invalid_value", "Invalid '" + param + "': expected a price in USD per million tokens.");
        }
        throw Fields.wrongType(param, "a number", price);
    }

    private static List<String> strings(Fields parent, String name) {
        @Nullable JsonNode array = parent.array(name);
        List<String> values = new ArrayList<>();
        if (array != null) {
            for (int i = 0; i < array.size(); i++) {
                if (!array.get(i).isString()) {
                    throw Fields.wrongType(parent.param(name) + "[" + i + "]", "a string", array.get(i));
                }
                values.add(array.get(i).stringValue());
            }
        }
        return values;
    }
}
