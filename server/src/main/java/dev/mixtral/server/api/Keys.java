package dev.mixtral.server.api;

import dev.mixtral.server.ApiKey;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/// Checks API keys, and counts what each of them does at once. Thread-safe.
final class Keys {
    private static final String SCHEME = "bearer ";
    private static final int RETRY_SECONDS = 1;

    private final List<ApiKey> keys;
    private final int maxRequestsPerKey;
    private final Map<String, Semaphore> running = new ConcurrentHashMap<>();

    /// @param keys empty accepts everybody
    /// @param maxRequestsPerKey requests of one key at once; 0 for no limit
    Keys(List<ApiKey> keys, int maxRequestsPerKey) {
        this.keys = keys;
        this.maxRequestsPerKey = maxRequestsPerKey;
    }

    /// Returns the key that a request shows, or `null` if none is needed.
    ///
    /// @throws ApiException if there is none, or a wrong one
    @Nullable
    ApiKey check(RequestHead head) {
        if (keys.isEmpty()) {
            return null;
        }
        String shown = shown(head);
        ApiKey found = null;
        if (shown != null) {
            for (ApiKey key : keys) {
                // All keys are compared, so that time tells nothing about their order.
                found = key.matches(shown) ? key : found;
            }
        }
        if (found == null) {
            throw new ApiException(ApiError.unauthorized(shown != null));
        }
        return found;
    }

    private static @Nullable String shown(RequestHead head) {
        String authorization = head.header("authorization");
        if (authorization != null && authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return authorization.substring(SCHEME.length()).strip();
        }
        String key = head.header("x-api-key");
        return key == null && authorization != null ? "" : key;
    }

    /// Lets a request begin to generate, and has its answer tell what is left of its client's share.
    ///
    /// @return what to call when it has ended
    /// @throws ApiException if the client has as many running as it may
    Runnable begin(Call call) {
        if (maxRequestsPerKey == 0 || keys.isEmpty()) {
            return () -> {};
        }
        Semaphore permits = running.computeIfAbsent(call.client(), name -> new Semaphore(maxRequestsPerKey));
        boolean hasBegun = permits.tryAcquire();
        call.addHeader("x-ratelimit-limit-requests", Integer.toString(maxRequestsPerKey));
        call.addHeader("x-ratelimit-remaining-requests", Integer.toString(permits.availablePermits()));
        if (!hasBegun) {
            throw new ApiException(ApiError.rateLimited(
                    "Rate limit reached: this key may have " + maxRequestsPerKey
                            + " requests running at once. Try again when one has ended.",
                    RETRY_SECONDS));
        }
        return permits::release;
    }
}
