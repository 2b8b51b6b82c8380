package dev.mixtral.format.io;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Maps files into memory for reading.
public final class MappedFile {
    /// What stands in place of a large file in a Git clone made without LFS.
    private static final String LFS_POINTER = "version https://git-lfs.github.com/spec/";

    private MappedFile() {}

    /// Maps all of a file.
    ///
    /// The mapping has the length that the file has now. If another process truncates the file while it is mapped,
    /// the operating system answers an access beyond the new end with SIGBUS, which the JVM turns into an
    /// [InternalError] at the point of access; it cannot be checked beforehand.
    ///
    /// @param arena owns the mapping: closing it unmaps the file
    /// @throws ModelNotFoundException if there is no such regular file
    /// @throws ModelFormatException if the file is a Git LFS pointer
    /// @throws UncheckedIOException if the file cannot be read
    public static MemorySegment map(Path file, Arena arena) {
        if (!Files.isRegularFile(file)) {
            throw new ModelNotFoundException(file + " is not a file. Was the download complete?");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            rejectLfsPointer(file, bytes);
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /// Returns the first bytes of a file, at most `count`; fewer if it is shorter.
    ///
    /// @throws UncheckedIOException if the file cannot be read
    public static byte[] head(Path file, int count) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer head = ByteBuffer.allocate(count);
            while (head.hasRemaining() && channel.read(head) >= 0) {}
            byte[] bytes = new byte[head.position()];
            head.flip().get(bytes);
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static void rejectLfsPointer(Path file, MemorySegment bytes) {
        byte[] pointer = LFS_POINTER.getBytes(StandardCharsets.US_ASCII);
        if (bytes.byteSize() >= pointer.length
                && bytes.asSlice(0, pointer.length).mismatch(MemorySegment.ofArray(pointer)) == -1) {
            throw new ModelFormatException(
                    file,
                    "is a Git LFS pointer of " + bytes.byteSize() + " bytes, not the weights (run `git lfs pull`)");
        }
    }

    /// Returns a copy of bytes `[offset, offset + length)`.
    ///
    /// @throws IndexOutOfBoundsException if they are not all inside `bytes`
    public static byte[] copy(MemorySegment bytes, long offset, int length) {
        return bytes.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
    }
}
