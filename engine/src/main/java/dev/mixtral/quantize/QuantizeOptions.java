package dev.mixtral.quantize;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// How a model is to be quantised.
///
/// @param output the GGUF file to make
/// @param preset the mix of types
/// @param importance weights of the columns, or `null`
/// @param numThreads threads that encode
/// @param replace whether an existing `output`, or what an interrupted run has left, may be replaced
/// @param resume whether to continue an interrupted run
public record QuantizeOptions(
        Path output,
        Preset preset,
        @Nullable ImportanceMatrix importance,
        int numThreads,
        boolean replace,
        boolean resume) {
    public QuantizeOptions {
        if (numThreads < 1) {
            throw new IllegalArgumentException("numThreads must be at least 1, got " + numThreads);
        }
    }

    /// Returns the same with another importance.
    public QuantizeOptions withImportance(@Nullable ImportanceMatrix importance) {
        return new QuantizeOptions(output, preset, importance, numThreads, replace, resume);
    }
}
