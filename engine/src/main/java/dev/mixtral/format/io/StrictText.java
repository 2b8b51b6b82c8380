package dev.mixtral.format.io;

import dev.mixtral.error.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Reads text files of bounded size that must be valid UTF-8.
public final class StrictText {
    /// Larger than any configuration or template that was ever published, and small enough to hold as a tree.
    public static final int MAX_BYTES = 8 << 20;

    private StrictText() {}

    /// Reads a whole file.
    ///
    /// @throws ModelFormatException if the file is longer than [#MAX_BYTES] or not UTF-8
    /// @throws UncheckedIOException if the file cannot be read
    public static String read(Path file) {
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new ModelFormatException(file, "at most " + MAX_BYTES + " bytes expected, got more");
            }
            return decode(file.toString(), "the file", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /// Decodes UTF-8.
    ///
    /// @param file where the bytes come from, for messages
    /// @param what what the bytes are, for messages
    /// @throws ModelFormatException if the bytes are not UTF-8
    public static String decode(String file, String what, byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new ModelFormatException(file, what + " is not valid UTF-8", e);
        }
    }
}
