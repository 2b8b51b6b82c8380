package dev.mixtral.server.api;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A request up to the end of its headers. Immutable.
///
/// @param id names the request in logs and in the answer's `x-request-id`
/// @param method HTTP method
/// @param target the request target as it was sent: path, query, perhaps a fragment or a whole URL
/// @param headers by name, in any case; of several with one name the first counts
/// @param remote the client's address
/// @param startNanos when the request arrived
public record RequestHead(
        String id, String method, String target, Map<String, String> headers, String remote, long startNanos) {
    public RequestHead {
        Map<String, String> copy = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.forEach(copy::putIfAbsent);
        headers = java.util.Collections.unmodifiableMap(copy);
    }

    /// Returns a header's value, or `null` if there is none.
    public @Nullable String header(String name) {
        return headers.get(name);
    }

    /// Returns a header's value, or an empty text.
    String headerOrEmpty(String name) {
        return headers.getOrDefault(name, "");
    }
}
