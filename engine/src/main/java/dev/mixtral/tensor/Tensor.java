package dev.mixtral.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// A weight tensor as it lies in a file: row-major, the last dimension contiguous.
///
/// Immutable; the memory belongs to whoever opened the file and must outlive the tensor. A GGUF file lists dimensions
/// in the opposite order; readers turn them round, so `[rows, cols]` is `[out, in]` everywhere in this program.
///
/// @param name the tensor's name in its file, for messages
/// @param type element type
/// @param shape dimensions, outermost first; not modified after construction
/// @param data exactly `type.byteSize(numElements)` bytes, possibly unaligned
public record Tensor(String name, DType type, long[] shape, MemorySegment data) {
    public Tensor {
        shape = shape.clone();
        long numElements = 1;
        for (long n : shape) {
            numElements = Math.multiplyExact(numElements, n);
        }
        if (data.byteSize() != type.byteSize(numElements)) {
            throw new IllegalArgumentException(name + ": " + type + Arrays.toString(shape) + " takes "
                    + type.byteSize(numElements) + " bytes, got " + data.byteSize());
        }
    }

    /// Returns how many elements the tensor has.
    public long numElements() {
        return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    /// Returns the length of the contiguous (last) dimension; 1 for a scalar.
    public int cols() {
        return shape.length == 0 ? 1 : Math.toIntExact(shape[shape.length - 1]);
    }

    /// Returns the product of all dimensions but the last.
    public int rows() {
        long rows = 1;
        for (int i = 0; i < shape.length - 1; i++) {
            rows *= shape[i];
        }
        return Math.toIntExact(rows);
    }

    /// Returns the bytes of one row of [#cols()] elements.
    public long rowBytes() {
        return type.byteSize(cols());
    }

    /// Returns rows `[from, to)` as a tensor `[to - from, cols]` over the same memory.
    public Tensor rows(int from, int to) {
        return new Tensor(
                name, type, new long[] {to - from, cols()}, data.asSlice(from * rowBytes(), (to - from) * rowBytes()));
    }

    /// Returns the elements as 32-bit floats, decoded by [Dequantizer].
    ///
    /// @return `[numElements]`, freshly allocated
    public float[] toFloats() {
        float[] floats = new float[Math.toIntExact(numElements())];
        Dequantizer.dequantize(type, data, 0, floats, 0, floats.length);
        return floats;
    }

    @Override
    public String toString() {
        return name + " " + type + Arrays.toString(shape);
    }
}
