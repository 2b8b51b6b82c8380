package dev.mixtral.error;

import org.jspecify.annotations.Nullable;

/// Root of every failure that a user, a request or a file can cause.
///
/// Messages say what, where, expected and got, and the next step. Programming errors stay
/// [IllegalArgumentException], [IllegalStateException] and [NullPointerException].
public abstract sealed class MixtralException extends RuntimeException
        permits AnswerException,
                ContextLengthException,
                GrammarException,
                EngineClosedException,
                EngineFailedException,
                InvalidRequestException,
                KernelUnavailableException,
                ModelFormatException,
                ModelNotFoundException,
                OverloadedException,
                UnsupportedModelException {
    private static final long serialVersionUID = 1L;

    MixtralException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
