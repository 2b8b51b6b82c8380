package dev.mixtral.lora;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tensor.Tensor;
import java.nio.file.Path;

/// Reads the numbers of an adapter's tensor.
final class Values {
    private Values() {}

    /// Returns all elements.
    ///
    /// @throws ModelFormatException if one is infinite or not a number
    static float[] of(Path file, Tensor tensor) {
        if (tensor.numElements() > Integer.MAX_VALUE - 8) {
            throw new UnsupportedModelException(file + ": tensor " + tensor.name() + " has " + tensor.numElements()
                    + " elements. Adapters may have 2^31 in one tensor.");
        }
        float[] values = tensor.toFloats();
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new ModelFormatException(
                        file,
                        "tensor " + tensor.name() + ": " + values[i] + " at index " + i + ", finite numbers expected");
            }
        }
        return values;
    }
}
