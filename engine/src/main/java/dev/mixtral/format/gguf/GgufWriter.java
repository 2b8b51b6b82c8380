package dev.mixtral.format.gguf;

import dev.mixtral.format.io.AtomicFile;
import dev.mixtral.format.io.Pieces;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.LittleEndian;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Writes GGUF version 3. Tensors are streamed: memory holds one at a time, as its [Content] likes.
public final class GgufWriter {
    static final int VERSION = 3;

    private GgufWriter() {}

    /// Writes the stored bytes of a tensor, exactly as many as its type and shape take.
    @FunctionalInterface
    public interface Content {
        /// Writes all bytes, in order.
        ///
        /// @param channel takes every buffer whole
        void writeTo(WritableByteChannel channel) throws IOException;
    }

    /// A tensor to write.
    ///
    public record Entry(GgufLayout.Declaration declaration, Content content) {
        /// A tensor whose stored bytes are at hand.
        public static Entry of(String name, DType type, long[] shape, MemorySegment data) {
            return new Entry(GgufLayout.Declaration.of(name, type, shape), channel -> writeAll(data, channel));
        }

        /// Writes the bytes of memory of any size.
        public static void writeAll(MemorySegment data, WritableByteChannel channel) throws IOException {
            for (ByteBuffer piece : Pieces.of(data)) {
                AtomicFile.writeFully(channel, piece);
            }
        }

        /// A tensor of type F32.
        public static Entry of(String name, long[] shape, float[] values) {
            MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Float.BYTES)]);
            for (int i = 0; i < values.length; i++) {
                data.set(LittleEndian.INT, 4L * i, Float.floatToRawIntBits(values[i]));
            }
            return of(name, DType.F32, shape, data);
        }
    }

    /// Creates or replaces a file, whole or not at all.
    ///
    /// @param metadata in the order of the file; `general.alignment` is obeyed
    /// @throws IllegalArgumentException if a content has another length than its type and shape say
    /// @throws UncheckedIOException if the file cannot be written
    public static void write(Path file, Map<String, GgufValue> metadata, List<Entry> tensors) {
        GgufLayout layout =
                GgufLayout.of(metadata, tensors.stream().map(Entry::declaration).toList());
        AtomicFile.write(file, channel -> {
            AtomicFile.writeFully(channel, layout.headerBuffer());
            long written = layout.header().length;
            for (int i = 0; i < tensors.size(); i++) {
                long offset = layout.tensors().get(i).offset();
                AtomicFile.pad(channel, offset - written);
                written = offset + writeContent(channel, tensors.get(i));
            }
            AtomicFile.pad(channel, layout.fileBytes() - written);
        });
    }

    private static long writeContent(WritableByteChannel channel, Entry tensor) throws IOException {
        CountingChannel counting = new CountingChannel(channel);
        tensor.content().writeTo(counting);
        long expected = tensor.declaration().byteSize();
        if (counting.written != expected) {
            throw new IllegalArgumentException(
                    tensor.declaration().name() + " takes " + expected + " bytes, got " + counting.written);
        }
        return counting.written;
    }

    /// Takes every buffer whole and counts its bytes.
    private static final class CountingChannel implements WritableByteChannel {
        private final WritableByteChannel channel;
        private long written;

        CountingChannel(WritableByteChannel channel) {
            this.channel = channel;
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            int count = bytes.remaining();
            AtomicFile.writeFully(channel, bytes);
            written += count;
            return count;
        }

        @Override
        public boolean isOpen() {
            return channel.isOpen();
        }

        @Override
        public void close() {
            throw new UnsupportedOperationException("the file has more tensors");
        }
    }
}
