package dev.mixtral.server.batch;

import java.util.Locale;

/// Where a batch of the API stands, in OpenAI's words.
enum BatchStatus {
    /// Not begun.
    VALIDATING,
    /// Its requests are being answered.
    IN_PROGRESS,
    /// All are answered, and the files of results are being made.
    FINALIZING,
    /// The results are there.
    COMPLETED,
    /// It could not be run.
    FAILED,
    /// Its owner wants it to end.
    CANCELLING,
    /// It ended so.
    CANCELLED,
    /// Its time was over before it was done.
    EXPIRED;

    /// Returns the API's word.
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static BatchStatus ofWord(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }

    /// Returns whether nothing more will happen.
    boolean isFinal() {
        return this == COMPLETED || this == FAILED || this == CANCELLED || this == EXPIRED;
    }
}
