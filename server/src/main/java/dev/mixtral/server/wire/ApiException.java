package dev.mixtral.server.wire;

import org.jspecify.annotations.Nullable;

/// Ends a request with an error for the client.
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient ApiError error;

    /// @param error what the client is told
    public ApiException(ApiError error) {
        super(error.message());
        this.error = error;
    }

    /// A request that can never work as it is: 400.
    public static ApiException invalid(@Nullable String param, @Nullable String code, String message) {
        return new ApiException(ApiError.invalid(param, code, message));
    }

    /// Returns what the client is told.
    public ApiError error() {
        return error;
    }
}
