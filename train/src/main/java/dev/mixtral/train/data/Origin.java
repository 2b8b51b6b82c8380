package dev.mixtral.train.data;

import java.nio.file.Path;

/// Where an example begins.
///
/// @param line from 1
public record Origin(Path file, int line) {
    @Override
    public String toString() {
        return file + ":" + line;
    }
}
