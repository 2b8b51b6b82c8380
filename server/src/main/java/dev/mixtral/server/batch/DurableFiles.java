package dev.mixtral.server.batch;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/// Writes files that are there whole or not at all, whenever the power goes.
final class DurableFiles {
    private static final boolean HAS_FOLDER_CHANNELS =
            !System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");

    private DurableFiles() {}

    /// Writes what a file holds.
    interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /// Makes a file, or replaces one: its content is written beside it, forced to disk, and renamed.
    ///
    /// @return the file's size
    static long write(Path path, Content content) throws IOException {
        Path aside = path.resolveSibling(path.getFileName() + ".new");
        long size;
        try (FileChannel channel = FileChannel.open(
                aside, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            content.writeTo(out);
            out.flush();
            channel.force(true);
            size = channel.size();
        }
        Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        forceFolderOf(path);
        return size;
    }

    /// Forces to disk that a file is there, has its name, or is gone.
    static void forceFolderOf(Path path) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        // Windows opens no folders, and writes their changes through by itself.
        if (folder != null && HAS_FOLDER_CHANNELS) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
