package dev.mixtral.testing;

import dev.mixtral.testing.GuardedFiles.Change;
import dev.mixtral.testing.GuardedFiles.Guard;
import java.io.IOException;
import java.nio.file.Path;

/// A disk that takes so many bytes and no more; nothing that is removed makes room.
public final class FullDisk implements Guard {
    /// What the operating system says.
    public static final String MESSAGE = "No space left on device";

    private long left;

    /// @param bytes that can be written
    public FullDisk(long bytes) {
        this.left = bytes;
    }

    @Override
    public int allow(Change change, Path file, int bytes) throws IOException {
        if (change != Change.WRITE || bytes == 0) {
            return bytes;
        }
        if (left == 0) {
            throw new IOException(MESSAGE);
        }
        int written = (int) Math.min(bytes, left);
        left -= written;
        return written;
    }
}
