package dev.mixtral.format.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

/// Writes a file aside, forces it to the disk and renames it: readers see the old file or the whole new one.
public final class AtomicFile {
    private AtomicFile() {}

    /// Writes the bytes of a file, in order.
    @FunctionalInterface
    public interface Content {
        /// Writes all bytes, in order.
        ///
        /// @param channel a single `write` may take fewer bytes than it was given: see [#writeFully]
        void writeTo(WritableByteChannel channel) throws IOException;
    }

    /// Creates or replaces `target`. Whatever fails, `target` is as before and nothing else is left behind.
    ///
    /// @throws UncheckedIOException if the file cannot be written
    public static void write(Path target, Content content) {
        write(Map.of(target, content));
    }

    /// Creates or replaces files that belong together: all of them are on the disk before the first gets its name.
    /// A full disk thus leaves all as before, and nothing else behind.
    ///
    /// @throws UncheckedIOException if one of them cannot be written
    public static void write(Map<Path, Content> files) {
        Map<Path, Path> asides = new LinkedHashMap<>();
        try {
            files.forEach((target, content) -> {
                Path absolute = target.toAbsolutePath();
                Path aside = absolute.resolveSibling("." + absolute.getFileName() + "." + UUID.randomUUID() + ".part");
                asides.put(target, aside);
                perform(target, () -> writeAndForce(aside, content));
            });
            asides.forEach((target, aside) -> perform(
                    target,
                    () -> Files.move(
                            aside,
                            target.toAbsolutePath(),
                            StandardCopyOption.ATOMIC_MOVE,
                            StandardCopyOption.REPLACE_EXISTING)));
        } finally {
            asides.forEach((target, aside) -> perform(target, () -> Files.deleteIfExists(aside)));
        }
    }

    private static void perform(Path target, Action action) {
        try {
            action.run();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + target + ": " + e.getMessage(), e);
        }
    }

    @FunctionalInterface
    private interface Action {
        void run() throws IOException;
    }

    private static void writeAndForce(Path file, Content content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            content.writeTo(channel);
            channel.force(true);
        }
    }

    /// Writes everything that remains in `bytes`.
    public static void writeFully(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /// Writes `count` zero bytes.
    public static void pad(WritableByteChannel channel, long count) throws IOException {
        writeFully(channel, ByteBuffer.allocate(Math.toIntExact(count)));
    }
}
