package dev.mixtral.server.api;

import dev.mixtral.error.AnswerException;
import dev.mixtral.error.ContextLengthException;
import dev.mixtral.error.EngineClosedException;
import dev.mixtral.error.EngineFailedException;
import dev.mixtral.error.GrammarException;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.KernelUnavailableException;
import dev.mixtral.error.MixtralException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.error.OverloadedException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.server.wire.ApiError;

/// Says in HTTP's words what the engine says in exceptions.
final class EngineErrors {
    private static final int RETRY_SECONDS = 5;

    private EngineErrors() {}

    /// @param promptParam the field that holds the prompt
    /// @param requestId named where the fault is the server's
    static ApiError toApi(MixtralException failure, String promptParam, String requestId) {
        String message = String.valueOf(failure.getMessage());
        return switch (failure) {
            case InvalidRequestException e -> ApiError.invalid(e.param(), null, message);
            case ContextLengthException e ->
                ApiError.contextLength(promptParam, e.contextLength(), e.numPromptTokens());
            case GrammarException _ -> ApiError.invalid("response_format", "invalid_json_schema", message);
            case UnsupportedModelException _ -> ApiError.invalid(null, "model_not_supported", message);
            case OverloadedException e -> ApiError.rateLimited(message, e.retryAfterSeconds());
            case EngineClosedException _ -> ApiError.unavailable("overloaded", message, RETRY_SECONDS);
            case EngineFailedException _, KernelUnavailableException _ -> ApiError.internal(requestId);
            case AnswerException _, ModelFormatException _ -> ApiError.internal(requestId);
            // An adapter that was unloaded since the request came.
            case ModelNotFoundException _ -> ApiError.modelGone(message);
        };
    }

    /// Same, for a request that the engine had accepted: then too much load means that its turn never came.
    static ApiError afterAdmission(MixtralException failure, String promptParam, String requestId) {
        return failure instanceof OverloadedException e
                ? ApiError.unavailable("overloaded", String.valueOf(e.getMessage()), e.retryAfterSeconds())
                : toApi(failure, promptParam, requestId);
    }
}
