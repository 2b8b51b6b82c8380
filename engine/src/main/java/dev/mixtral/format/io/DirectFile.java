package dev.mixtral.format.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;

/// Reads a file past the operating system's page cache (`O_DIRECT`), for what is read once and kept: it takes less of
/// the processor than a copy from a mapping, and pushes nothing else out of memory. Thread-safe.
public final class DirectFile implements AutoCloseable {
    private final FileChannel channel;
    private final long blockSize;

    private DirectFile(FileChannel channel, long blockSize) {
        this.channel = channel;
        this.blockSize = blockSize;
    }

    /// Opens a file, or returns empty where the system or the file system has no such access.
    public static Optional<DirectFile> open(Path file) {
        Optional<OpenOption> option = option();
        if (option.isEmpty()) {
            return Optional.empty();
        }
        try {
            long blockSize = Files.getFileStore(file).getBlockSize();
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, option.get());
            return Optional.of(new DirectFile(channel, blockSize));
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    /// Returns the JDK's option for it, by name: javac has a warning for everything in `jdk.unsupported` that cannot be
    /// turned off, although this package is exported and documented.
    private static Optional<OpenOption> option() {
        try {
            Class<?> options = Class.forName("com.sun.nio.file.ExtendedOpenOption");
            return Arrays.stream(options.getEnumConstants())
                    .map(OpenOption.class::cast)
                    .filter(option -> option.toString().equals("DIRECT"))
                    .findFirst();
        } catch (ClassNotFoundException e) {
            return Optional.empty();
        }
    }

    /// Reads whole blocks of the file system into native memory, as many as fit.
    ///
    /// What cannot be read this way is left to the caller, who has the file mapped: all of it if the offset or the
    /// memory is not aligned to a block or the system refuses, and the last part of a block in any case.
    ///
    /// @param offset place in the file
    /// @param into native memory
    /// @return how many bytes, from the beginning of `into`, have been read
    public long read(long offset, MemorySegment into) {
        if (offset % blockSize != 0 || into.address() % blockSize != 0) {
            return 0;
        }
        long whole = Math.min(into.byteSize(), Integer.MAX_VALUE) / blockSize * blockSize;
        ByteBuffer buffer = into.asSlice(0, whole).asByteBuffer();
        long done = 0;
        try {
            while (buffer.hasRemaining()) {
                int count = channel.read(buffer, offset + done);
                if (count <= 0 || count % blockSize != 0) {
                    break; // the file ends here
                }
                done += count;
            }
        } catch (IOException e) {
            return done;
        }
        return done;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("closing a file after reading it: " + e.getMessage(), e);
        }
    }
}
