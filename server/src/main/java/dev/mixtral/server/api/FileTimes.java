package dev.mixtral.server.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// When files were made.
final class FileTimes {
    /// When Mixtral 8x7B was published; stands for files whose time is unknown.
    private static final long PUBLISHED = 1_702_252_800L;

    private FileTimes() {}

    /// Returns the time of a file or folder, in seconds since 1970.
    static long seconds(Path path) {
        try {
            return Files.getLastModifiedTime(path).toMillis() / 1000;
        } catch (IOException e) {
            return PUBLISHED;
        }
    }
}
