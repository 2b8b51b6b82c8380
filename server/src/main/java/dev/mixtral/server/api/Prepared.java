package dev.mixtral.server.api;

import dev.mixtral.server.ApiKey;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.wire.ApiError;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What was decided about a request before its body was read. Immutable.
///
/// @param head the request
/// @param dialect the client's
/// @param endpoint the route's documented path, or `other`
/// @param route what will answer, or `null` if the answer is settled
/// @param parameters values of the names in the route's path
/// @param query the query's parameters
/// @param key the key that was shown, or `null` if none is needed
/// @param error the answer, if it is settled to be an error
/// @param answerHeaders what every answer to this request carries
public record Prepared(
        RequestHead head,
        Dialect dialect,
        String endpoint,
        @Nullable Route route,
        Map<String, String> parameters,
        Map<String, String> query,
        @Nullable ApiKey key,
        @Nullable ApiError error,
        Map<String, String> answerHeaders) {
    public Prepared {
        parameters = Map.copyOf(parameters);
        query = Map.copyOf(query);
        answerHeaders = Map.copyOf(answerHeaders);
    }

    /// Returns whether the answer does not depend on the body.
    public boolean isSettled() {
        return route == null;
    }

    /// Returns a copy whose answer is an error.
    public Prepared withError(ApiError settled) {
        return new Prepared(head, dialect, endpoint, null, parameters, query, key, settled, answerHeaders);
    }
}
