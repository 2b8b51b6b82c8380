package dev.mixtral.format.gguf;

import dev.mixtral.tensor.DType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Where everything of a GGUF file will lie, known before any of its data: for writers that fill in the data bit by
/// bit.
///
/// @param header everything before the data, without the padding behind it; not to be modified
/// @param tensors in file order
/// @param fileBytes length of the whole file
public record GgufLayout(byte[] header, List<Slot> tensors, long fileBytes) {
    /// A tensor without its data.
    ///
    /// @param ggmlId number of its type
    /// @param shape outermost dimension first
    /// @param byteSize bytes of the data
    public record Declaration(String name, int ggmlId, long[] shape, long byteSize) {
        /// A tensor of a type that is read and written here.
        public static Declaration of(String name, DType type, long... shape) {
            long numElements = 1;
            for (long n : shape) {
                numElements = Math.multiplyExact(numElements, n);
            }
            return new Declaration(name, type.ggmlId(), shape, type.byteSize(numElements));
        }

        /// Bytes that only their reader understands: ggml's type I8.
        public static Declaration blob(String name, long byteSize) {
            return new Declaration(name, GgufFile.BLOB_TYPE, new long[] {byteSize}, byteSize);
        }
    }

    /// The place of a tensor's data.
    ///
    /// @param offset from the start of the file
    public record Slot(Declaration tensor, long offset) {}

    /// Lays out a file.
    ///
    /// @param metadata in the order of the file; `general.alignment` is obeyed
    /// @throws IllegalArgumentException if two tensors have the same name
    public static GgufLayout of(Map<String, GgufValue> metadata, List<Declaration> tensors) {
        long alignment = alignment(metadata);
        byte[] header = new GgufHeaderBuilder(metadata, tensors, alignment).build();
        List<Slot> slots = new ArrayList<>();
        long end = header.length;
        for (Declaration tensor : tensors) {
            long offset = end + padding(end, alignment);
            slots.add(new Slot(tensor, offset));
            end = offset + tensor.byteSize();
        }
        return new GgufLayout(header, List.copyOf(slots), end + padding(end, alignment));
    }

    private static long alignment(Map<String, GgufValue> metadata) {
        return metadata.get(GgufFile.ALIGNMENT_KEY) instanceof GgufValue.Int(GgufType _, long value)
                ? value
                : GgufFile.DEFAULT_ALIGNMENT;
    }

    /// Returns how many bytes are missing to the next multiple of `alignment`.
    static long padding(long position, long alignment) {
        return Math.floorMod(-position, alignment);
    }

    /// Returns the header for writing.
    public ByteBuffer headerBuffer() {
        return ByteBuffer.wrap(header).asReadOnlyBuffer();
    }
}
