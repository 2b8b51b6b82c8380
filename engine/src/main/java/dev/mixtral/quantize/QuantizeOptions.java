package dev.mixtral.quantize;

import dev.mixtral.lora.LoraDeltas;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// How a model is to be quantised.
///
/// @param output the GGUF file to make
/// @param preset the mix of types; `null` to keep those of the source
/// @param importance weights of the columns, or `null`
/// @param numThreads threads that encode
/// @param replace whether an existing `output`, or what an interrupted run has left, may be replaced
/// @param resume whether to continue an interrupted run
/// @param adapter what is merged into the model on the way, fitted to it; `null` for nothing
public record QuantizeOptions(
        Path output,
        @Nullable Preset preset,
        @Nullable ImportanceMatrix importance,
        int numThreads,
        boolean replace,
        boolean resume,
        @Nullable LoraDeltas adapter) {
    public QuantizeOptions {
        if (numThreads < 1) {
            throw new IllegalArgumentException("numThreads must be at least 1, got " + numThreads);
        }
    }

    /// Nothing is merged.
    public QuantizeOptions(
            Path output,
            Preset preset,
            @Nullable ImportanceMatrix importance,
            int numThreads,
            boolean replace,
            boolean resume) {
        this(output, preset, importance, numThreads, replace, resume, null);
    }

    /// Returns the same with another importance.
    public QuantizeOptions withImportance(@Nullable ImportanceMatrix importance) {
        return new QuantizeOptions(output, preset, importance, numThreads, replace, resume, adapter);
    }
}
