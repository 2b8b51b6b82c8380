package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Gathers the tensors of an architecture from the tensors of files: each must be there in the right shape, and none
/// may be left over, because a tensor that is not computed with (a bias, a norm of another architecture) means wrong
/// results.
final class WeightResolver {
    private static final int SHOWN_NAMES = 5;

    private final String source;
    private final Map<String, StoredTensor> stored = new LinkedHashMap<>();
    private final Map<String, Tensor> resolved = new LinkedHashMap<>();
    private final Set<String> used = new HashSet<>();

    /// @throws ModelFormatException if two tensors have the same name
    WeightResolver(String source, List<StoredTensor> tensors) {
        this.source = source;
        for (StoredTensor tensor : tensors) {
            StoredTensor other = stored.put(tensor.tensor().name(), tensor);
            if (other != null) {
                throw new ModelFormatException(
                        tensor.file(), "tensor " + tensor.tensor().name() + " is also in " + other.file());
            }
        }
    }

    boolean has(String fileName) {
        return stored.containsKey(fileName);
    }

    /// Takes the tensor `fileName` of the given shape as `name`.
    void take(String name, String fileName, long... shape) {
        resolved.put(name, require(fileName, shape));
    }

    /// Takes a part of the tensor `fileName` of the given shape as `name`.
    ///
    /// @param from the index of its first row, all dimensions but the last being counted as rows
    void takeRows(String name, String fileName, long[] shape, long from, int rows) {
        Tensor whole = require(fileName, shape);
        long cols = shape[shape.length - 1];
        long rowBytes = whole.type().byteSize(cols);
        MemorySegment data = whole.data().asSlice(from * rowBytes, rows * rowBytes);
        String label = fileName + "[rows " + from + " to " + (from + rows) + "]";
        resolved.put(name, new Tensor(label, whole.type(), new long[] {rows, cols}, data));
    }

    /// Makes `name` another name for a tensor that was taken already.
    void alias(String name, String resolvedName) {
        Tensor tensor = resolved.get(resolvedName);
        if (tensor == null) {
            throw new IllegalStateException(resolvedName + " was not taken before " + name);
        }
        resolved.put(name, tensor);
    }

    /// Allows a tensor that carries no weights of its own to be there.
    void ignore(String fileName) {
        used.add(fileName);
    }

    /// Returns everything that was taken.
    ///
    /// @throws UnsupportedModelException if tensors are left over
    Map<String, Tensor> finish() {
        List<String> unknown = stored.keySet().stream()
                .filter(name -> !used.contains(name))
                .limit(SHOWN_NAMES)
                .toList();
        if (!unknown.isEmpty()) {
            throw new UnsupportedModelException(
                    source + ": the model has tensors that a Mixtral with this configuration"
                            + " does not: " + String.join(", ", unknown)
                            + ". It is of another architecture, or does not belong to its configuration.");
        }
        return resolved;
    }

    private Tensor require(String fileName, long[] shape) {
        StoredTensor found = stored.get(fileName);
        if (found == null) {
            throw new ModelFormatException(
                    source, "tensor " + fileName + " " + Arrays.toString(shape) + " is missing", null);
        }
        used.add(fileName);
        Tensor tensor = found.tensor();
        // ggml drops trailing dimensions of 1, which are leading ones here.
        if (!Arrays.equals(withoutLeadingOnes(shape), withoutLeadingOnes(tensor.shape()))) {
            throw new ModelFormatException(
                    found.file(),
                    "tensor " + fileName + ": shape " + Arrays.toString(shape)
                            + " expected from the configuration, got " + Arrays.toString(tensor.shape()));
        }
        return new Tensor(fileName, tensor.type(), shape, tensor.data());
    }

    private static long[] withoutLeadingOnes(long[] shape) {
        int ones = 0;
        while (ones < shape.length && shape[ones] == 1) {
            ones++;
        }
        return Arrays.copyOfRange(shape, ones, shape.length);
    }
}
