package dev.mixtral.server.batch;

import dev.mixtral.server.api.Call;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.Json;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Cuts lists into pages, as OpenAI does: `limit`, and `after` the last id of the page before.
final class Pages {
    private Pages() {}

    /// Returns one page.
    ///
    /// @param all every element in the API's form, in order
    /// @throws ApiException if the query is wrong
    static ObjectNode page(Call call, List<ObjectNode> all, int defaultLimit, int maxLimit) {
        int limit = limit(call.query("limit"), defaultLimit, maxLimit);
        int from = 0;
        String after = call.query("after");
        if (after != null && !after.isEmpty()) {
            from = indexOf(all, after) + 1;
            if (from == 0) {
                throw ApiException.invalid("after", "invalid_value", "Invalid value: 'after' names nothing here.");
            }
        }
        List<ObjectNode> page = all.subList(from, Math.min(all.size(), from + limit));
        ArrayNode data = Json.array();
        page.forEach(data::add);
        ObjectNode answer = Json.object().put("object", "list");
        answer.set("data", data);
        answer.set(
                "first_id",
                page.isEmpty() ? Json.NODES.nullNode() : page.getFirst().get("id"));
        answer.set(
                "last_id",
                page.isEmpty() ? Json.NODES.nullNode() : page.getLast().get("id"));
        return answer.put("has_more", from + page.size() < all.size());
    }

    private static int indexOf(List<ObjectNode> all, String id) {
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).path("id").asString("").equals(id)) {
                return i;
            }
        }
        return -1;
    }

    private static int limit(@org.jspecify.annotations.Nullable String text, int defaultLimit, int maxLimit) {
        if (text == null || text.isEmpty()) {
            return defaultLimit;
        }
        if (!text.matches("[0-9]{1,9}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > maxLimit) {
            throw ApiException.invalid(
                    "limit", "invalid_value", "Invalid 'limit': expected an integer between 1 and " + maxLimit + ".");
        }
        return Integer.parseInt(text);
    }
}
