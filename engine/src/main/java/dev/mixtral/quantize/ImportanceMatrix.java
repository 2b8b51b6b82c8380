package dev.mixtral.quantize;

import dev.mixtral.error.ModelFormatException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/// How much the columns of each matrix matter: the mean squares of its inputs over a text. Immutable.
///
/// The squared error of a weight counts in the product as much as the square of the input that it is multiplied with.
/// Keyed by GGUF tensor names.
public final class ImportanceMatrix {
    private final String source;
    private final Map<String, float[]> columns;

    /// Creates a matrix.
    ///
    /// @param source where it comes from, for messages and metadata
    /// @param columns by tensor, one value per column, those of stacked experts one behind the other; not modified
    ///     afterwards
    /// @throws ModelFormatException if a value is negative or not finite
    public ImportanceMatrix(String source, Map<String, float[]> columns) {
        this.source = source;
        this.columns = new LinkedHashMap<>(columns);
        columns.forEach(this::check);
    }

    private void check(String name, float[] values) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i]) || values[i] < 0) {
                throw new ModelFormatException(
                        source, "importance of " + name + " [" + i + "]: 0 or more expected, got " + values[i], null);
            }
        }
    }

    /// Reads a file of llama.cpp's `llama-imatrix`, as GGUF or in the older binary form.
    ///
    /// @throws MixtralException if it is missing, broken or none
    public static ImportanceMatrix read(Path file) {
        return ImatrixFile.read(file);
    }

    /// Returns where the matrix comes from.
    public String source() {
        return source;
    }

    /// Returns the number of tensors with an importance.
    public int size() {
        return columns.size();
    }

    /// Returns the weights of the columns of a matrix, or empty if there are none, or the text never reached it.
    ///
    /// @param tensor GGUF name
    /// @param index which of the stacked matrices
    /// @param numMatrices how many matrices are stacked
    /// @throws ModelFormatException if the importance belongs to another model
    public Optional<float[]> of(String tensor, int index, int numMatrices, int cols) {
        float[] all = columns.get(tensor);
        if (all == null) {
            return Optional.empty();
        }
        if (all.length != (long) numMatrices * cols) {
            throw new ModelFormatException(
                    source,
                    "importance of " + tensor + ": " + numMatrices + " × " + cols + " values expected, got "
                            + all.length + ": it was made for another model",
                    null);
        }
        float[] values = Arrays.copyOfRange(all, index * cols, (index + 1) * cols);
        for (float value : values) {
            if (value > 0) {
                return Optional.of(values);
            }
        }
        return Optional.empty();
    }

    /// Returns a checksum of all values, to tell two matrices apart.
    long checksum() {
        CRC32C checksum = new CRC32C();
        columns.forEach((name, values) -> {
            name.chars().forEach(checksum::update);
            for (float value : values) {
                int bits = Float.floatToRawIntBits(value);
                for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
                    checksum.update(bits >>> shift);
                }
            }
        });
        return checksum.getValue();
    }
}
