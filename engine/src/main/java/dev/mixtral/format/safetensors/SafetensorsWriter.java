package dev.mixtral.format.safetensors;

import dev.mixtral.format.io.AtomicFile;
import dev.mixtral.tensor.BFloat16;
import dev.mixtral.tensor.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Writes safetensors files. The data starts at a multiple of 8 bytes, as the reference writer has it.
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 8;
    private static final int CHUNK_ELEMENTS = 1 << 16;
    private static final JsonMapper MAPPER = new JsonMapper();

    private SafetensorsWriter() {}

    /// A tensor to write.
    ///
    /// @param type F32, F16 or BF16; values are rounded to nearest, ties to even
    /// @param values row-major; not modified
    public record Entry(String name, DType type, long[] shape, float[] values) {
        public Entry {
            if (!type.isPlain()) {
                throw new IllegalArgumentException(name + ": safetensors files hold no " + type);
            }
            long numElements = 1;
            for (long n : shape) {
                numElements = Math.multiplyExact(numElements, n);
            }
            if (numElements != values.length) {
                throw new IllegalArgumentException(
                        name + ": its shape has " + numElements + " elements, got " + values.length);
            }
        }

        private Streamed streamed() {
            return new Streamed(name, type, shape, channel -> writeValues(channel, type, values));
        }
    }

    /// Writes the stored bytes of a tensor, exactly as many as its type and shape take, or those of a file.
    @FunctionalInterface
    public interface Content {
        /// Writes all bytes, in order.
        ///
        /// @param channel a single `write` may take fewer bytes than it was given
        void writeTo(WritableByteChannel channel) throws IOException;
    }

    /// A tensor whose bytes are made while they are written.
    public record Streamed(String name, DType type, long[] shape, Content content) {
        long byteSize() {
            long numElements = 1;
            for (long n : shape) {
                numElements = Math.multiplyExact(numElements, n);
            }
            return type.byteSize(numElements);
        }
    }

    /// Creates or replaces a file, whole or not at all.
    ///
    /// @param metadata the `__metadata__` strings; none are written if empty
    /// @param entries in the order of the file, under distinct names
    /// @throws UncheckedIOException if the file cannot be written
    public static void write(Path file, Map<String, String> metadata, List<Entry> entries) {
        AtomicFile.write(file, content(metadata, entries)::writeTo);
    }

    /// Returns what [#write] writes, for a file that is one of several.
    public static Content content(Map<String, String> metadata, List<Entry> entries) {
        return contentOfStreamed(metadata, entries.stream().map(Entry::streamed).toList());
    }

    /// Same, for tensors that need not be in memory together.
    public static void writeStreamed(Path file, Map<String, String> metadata, List<Streamed> entries) {
        AtomicFile.write(file, contentOfStreamed(metadata, entries)::writeTo);
    }

    private static Content contentOfStreamed(Map<String, String> metadata, List<Streamed> entries) {
        ByteBuffer header = header(metadata, entries);
        return channel -> {
            AtomicFile.writeFully(channel, header.duplicate());
            for (Streamed entry : entries) {
                entry.content().writeTo(channel);
            }
        };
    }

    private static ByteBuffer header(Map<String, String> metadata, List<Streamed> entries) {
        Map<String, ObjectNode> members = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            ObjectNode strings = MAPPER.createObjectNode();
            metadata.forEach(strings::put);
            members.put("__metadata__", strings);
        }
        long position = 0;
        for (Streamed entry : entries) {
            ObjectNode member =
                    MAPPER.createObjectNode().put("dtype", entry.type().name());
            member.set("shape", MAPPER.valueToTree(entry.shape()));
            member.putArray("data_offsets").add(position).add(position + entry.byteSize());
            if (members.put(entry.name(), member) != null) {
                throw new IllegalArgumentException("two tensors are called " + entry.name());
            }
            position += entry.byteSize();
        }
        byte[] json = MAPPER.writeValueAsString(members).getBytes(StandardCharsets.UTF_8);
        int padded = Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT;
        ByteBuffer header = ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(padded).put(json);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.flip();
    }

    /// Writes numbers.
    ///
    /// @param type F32, F16 or BF16; values are rounded to nearest, ties to even
    public static void writeValues(WritableByteChannel channel, DType type, float[] values) throws IOException {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_ELEMENTS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int from = 0; from < values.length; from += CHUNK_ELEMENTS) {
            int to = Math.min(values.length, from + CHUNK_ELEMENTS);
            for (int i = from; i < to; i++) {
                put(chunk, type, values[i]);
            }
            AtomicFile.writeFully(channel, chunk.flip());
            chunk.clear();
        }
    }

    private static void put(ByteBuffer chunk, DType type, float value) {
        switch (type) {
            case BF16 -> chunk.putShort(BFloat16.fromFloat(value));
            case F16 -> chunk.putShort(Float.floatToFloat16(value));
            default -> chunk.putFloat(value);
        }
    }
}
