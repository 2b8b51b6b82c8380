package dev.mixtral.quantize;

import dev.mixtral.tensor.DType;

/// What became of one tensor.
///
/// @param name its name in the GGUF file
/// @param shape outermost dimension first
/// @param source type in the source; of the first expert where experts are stacked
/// @param type type in the file
/// @param wanted type of the preset, which differs from `type` if its blocks do not divide the columns
/// @param bytes size in the file
/// @param relativeError root of the mean squared error, relative to the root mean square of the tensor; 0 if that is
///     0
public record QuantizedTensor(
        String name, long[] shape, DType source, DType type, DType wanted, long bytes, double relativeError) {
    /// Returns whether the preset's type was replaced by one that divides the columns.
    public boolean isFallback() {
        return type != wanted;
    }
}
