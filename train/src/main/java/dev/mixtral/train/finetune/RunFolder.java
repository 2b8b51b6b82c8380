package dev.mixtral.train.finetune;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.io.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The folder that a run writes to, held against other runs while it is open.
final class RunFolder implements AutoCloseable {
    private final Path folder;
    private final FileChannel lockFile;

    private RunFolder(Path folder, FileChannel lockFile) {
        this.folder = folder;
        this.lockFile = lockFile;
    }

    /// Opens a folder, and removes what a killed run left half-written.
    ///
    /// @param resume whether a run in it is to be continued; without, there must be none
    /// @throws InvalidRequestException if it holds a run that is not to be continued, or another process
    ///     uses it
    static RunFolder open(Path folder, boolean resume) {
        try {
            Files.createDirectories(folder);
            RunFolder run = new RunFolder(folder, lock(folder));
            try {
                run.prepare(resume);
                return run;
            } catch (IOException | RuntimeException e) {
                run.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot use the folder " + folder + ": " + e.getMessage(), e);
        }
    }

    /// The lock goes with the process, however it ends.
    private static FileChannel lock(Path folder) throws IOException {
        FileChannel channel =
                FileChannel.open(folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (tryLock(channel) == null) {
            channel.close();
            throw new InvalidRequestException(
                    "out", "another run writes to " + folder + " right now. Wait for it, or choose another folder.");
        }
        return channel;
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException _) {
            return null;
        }
    }

    private void prepare(boolean resume) throws IOException {
        if (!resume && Files.exists(checkpoint())) {
            throw new InvalidRequestException(
                    "out", folder + " holds a run already. --resume continues it; or choose another folder.");
        }
        deleteParts(folder);
        if (Files.isDirectory(best())) {
            deleteParts(best());
        }
    }

    private static void deleteParts(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith(".") && name.endsWith(".part")) {
                    Files.delete(file);
                }
            }
        }
    }

    Path path() {
        return folder;
    }

    Path checkpoint() {
        return folder.resolve("checkpoint.bin");
    }

    Path log() {
        return folder.resolve("log.jsonl");
    }

    Path report() {
        return folder.resolve("report.html");
    }

    /// Where the adapter with the best evaluation lies.
    Path best() {
        return folder.resolve("best");
    }

    /// Writes a text, whole or not at all.
    void write(String name, String text) {
        AtomicFile.write(
                folder.resolve(name),
                channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
    }

    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close " + folder, e);
        }
    }
}
