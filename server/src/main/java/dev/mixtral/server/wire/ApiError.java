package dev.mixtral.server.wire;

import org.jspecify.annotations.Nullable;

/// An error as clients see it. Immutable.
///
/// @param status HTTP status
/// @param type OpenAI's class of errors, such as `invalid_request_error`
/// @param code what programs switch on, such as `context_length_exceeded`; `null` if there is none
/// @param param the request's field that is at fault; `null` if there is none
/// @param message for people
/// @param retryAfterSeconds when to try again; 0 where that makes no sense
public record ApiError(
        int status,
        String type,
        @Nullable String code,
        @Nullable String param,
        String message,
        int retryAfterSeconds) {
    private static final String INVALID = "invalid_request_error";
    private static final String SERVER = "server_error";

    /// A request that can never work as it is: 400.
    public static ApiError invalid(@Nullable String param, @Nullable String code, String message) {
        return new ApiError(400, INVALID, code, param, message, 0);
    }

    /// A body that is no JSON object: 400.
    public static ApiError malformed(String detail) {
        return invalid(
                null,
                null,
                "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP"
                        + " library correctly. The API expects a JSON payload, but what was sent was not valid JSON: "
                        + detail + ")");
    }

    /// A prompt that leaves no room for an answer: 400, with the words that agents look for.
    public static ApiError contextLength(String param, int contextLength, int numTokens) {
        return invalid(
                param,
                "context_length_exceeded",
                "This model's maximum context length is " + contextLength + " tokens. However, your messages resulted"
                        + " in " + numTokens + " tokens. Please reduce the length of the messages.");
    }

    /// No key, or a wrong one: 401.
    public static ApiError unauthorized(boolean shown) {
        return shown
                ? new ApiError(401, INVALID, "invalid_api_key", null, "Incorrect API key provided.", 0)
                : new ApiError(
                        401,
                        INVALID,
                        null,
                        null,
                        "You didn't provide an API key. You need to provide your API key in an Authorization header"
                                + " using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
                        0);
    }

    /// A key that may not do this: 403.
    public static ApiError forbidden(String message) {
        return new ApiError(403, "permission_error", null, null, message, 0);
    }

    /// A model that is not served: 404.
    public static ApiError modelNotFound(String model) {
        return new ApiError(
                404,
                INVALID,
                "model_not_found",
                "model",
                "The model `" + model + "` does not exist or you do not have access to it.",
                0);
    }

    /// A model that is served no more: 404.
    public static ApiError modelGone(String message) {
        return new ApiError(404, INVALID, "model_not_found", "model", message, 0);
    }

    /// Something else that is not there: 404.
    public static ApiError notFound(String message) {
        return new ApiError(404, INVALID, null, null, message, 0);
    }

    /// A path that has no such method: 405.
    public static ApiError methodNotAllowed(String method, String allowed) {
        return new ApiError(
                405,
                INVALID,
                "method_not_supported",
                null,
                "Not allowed to " + method + " this URL. Allowed methods: " + allowed + ".",
                0);
    }

    /// A body that did not arrive in time: 408.
    public static ApiError timeout(String message) {
        return new ApiError(408, INVALID, null, null, message, 0);
    }

    /// A body beyond the limit: 413.
    public static ApiError tooLarge(long limit) {
        return new ApiError(
                413,
                INVALID,
                "request_too_large",
                null,
                "The request body is larger than the " + limit + " bytes that this server accepts.",
                0);
    }

    /// Too much at once: 429.
    public static ApiError rateLimited(String message, int retryAfterSeconds) {
        return new ApiError(429, "rate_limit_error", "rate_limit_exceeded", null, message, retryAfterSeconds);
    }

    /// A defect of the server: 500.
    public static ApiError internal(String requestId) {
        return new ApiError(
                500,
                SERVER,
                "internal_error",
                null,
                "The server had an error while processing your request. It is in the server's log under request id "
                        + requestId + ".",
                0);
    }

    /// Not now: 503.
    public static ApiError unavailable(String code, String message, int retryAfterSeconds) {
        return new ApiError(503, SERVER, code, null, message, retryAfterSeconds);
    }

    /// OpenRouter's word for this kind of error.
    String openRouterType() {
        if ("context_length_exceeded".equals(code)) {
            return "context_length_exceeded";
        }
        return switch (status) {
            case 401, 403 -> "authentication";
            case 404 -> "not_found";
            case 408 -> "timeout";
            case 413 -> "payload_too_large";
            case 429 -> "rate_limit_exceeded";
            case 503 -> "provider_overloaded";
            default -> status >= 500 ? "server" : "invalid_request";
        };
    }
}
