package dev.mixtral.error;

import org.jspecify.annotations.Nullable;

/// An answer is not what it should be read as: it was cut before its end, or the record refuses its values.
public final class AnswerException extends MixtralException {
    private static final long serialVersionUID = 1L;

    private final String text;

    /// @param message what is wrong and what to do about it
    /// @param text the answer as far as it came
    /// @param cause why it cannot be read, if something threw
    public AnswerException(String message, String text, @Nullable Throwable cause) {
        super(message, cause);
        this.text = text;
    }

    /// Returns the answer as far as it came.
    public String text() {
        return text;
    }
}
