package dev.mixtral.quantize;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.io.AtomicFile;
import dev.mixtral.format.io.Pieces;
import dev.mixtral.quantize.MatrixEncoder.Loss;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// A file in the making, and the journal of what of it is on the disk, so that an interrupted run can be continued.
///
/// `OUT.partial` is the file; `OUT.partial.journal` is text: one line that says what is made from what, and one per
/// finished unit with its loss (two hexadecimal doubles). Lines are written only after their units were forced to the
/// disk. A last line without its end was never finished and does not count.
final class PartialFile implements AutoCloseable {
    /// What a killed run may have to do again: forcing every small matrix by itself would take most of the time.
    private static final long MAX_UNFORCED_BYTES = 64L << 20;

    private final Path target;
    private final Path file;
    private final Path journalFile;
    private final FileChannel data;
    private final FileChannel journal;
    private final List<Loss> finished = new ArrayList<>();
    private final StringBuilder unwritten = new StringBuilder();
    private long unforcedBytes;

    private PartialFile(Path target, FileChannel data, FileChannel journal) {
        this.target = target;
        this.file = partial(target);
        this.journalFile = journal(target);
        this.data = data;
        this.journal = journal;
    }

    static Path partial(Path target) {
        return target.resolveSibling(target.getFileName() + ".partial");
    }

    static Path journal(Path target) {
        return target.resolveSibling(target.getFileName() + ".partial.journal");
    }

    /// Opens the partial file of `target`, or begins one.
    ///
    /// @param identity one line that differs whenever the content to be made does
    /// @param resume whether what is there is continued rather than replaced
    /// @throws InvalidRequestException if what is there was made from something else
    static PartialFile open(Path target, String identity, boolean resume) throws IOException {
        FileChannel data = FileChannel.open(
                partial(target), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            FileLock lock = data.tryLock();
            if (lock == null) {
                throw new InvalidRequestException(
                        "output", partial(target) + " is being written by another process: wait for it to end.");
            }
            PartialFile partial = new PartialFile(
                    target,
                    data,
                    FileChannel.open(
                            journal(target),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE));
            partial.begin(identity, resume);
            return partial;
        } catch (IOException | RuntimeException e) {
            data.close();
            throw e;
        }
    }

    private void begin(String identity, boolean resume) throws IOException {
        String text = Files.readString(journalFile, StandardCharsets.UTF_8);
        String whole = text.substring(0, text.lastIndexOf('\n') + 1);
        if (resume && !whole.isEmpty()) {
            List<String> lines = whole.lines().toList();
            if (!lines.getFirst().equals(identity)) {
                throw new InvalidRequestException(
                        "output",
                        file + " was begun from another source, type or importance matrix, so it cannot be continued."
                                + " Begin again with --force.");
            }
            lines.stream().skip(1).map(this::parse).forEach(finished::add);
            journal.truncate(whole.getBytes(StandardCharsets.UTF_8).length);
            journal.position(journal.size());
        } else {
            data.truncate(0);
            journal.truncate(0);
            append(identity + "\n");
        }
    }

    private Loss parse(String line) {
        String[] words = line.split(" ", -1);
        try {
            return new Loss(Double.parseDouble(words[0]), Double.parseDouble(words[1]));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new InvalidRequestException(
                    "output", journalFile + ": broken line \"" + line + "\". Begin again with --force.");
        }
    }

    private void append(String lines) throws IOException {
        AtomicFile.writeFully(journal, ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8)));
        journal.force(true);
    }

    /// Returns the losses of the units that are on the disk, in order.
    List<Loss> finished() {
        return finished;
    }

    /// Returns how many bytes the file has so far.
    long size() throws IOException {
        return data.size();
    }

    /// Writes bytes to a place in the file.
    void write(long offset, MemorySegment bytes) throws IOException {
        unforcedBytes += bytes.byteSize();
        long position = offset;
        for (ByteBuffer piece : Pieces.of(bytes)) {
            while (piece.hasRemaining()) {
                position += data.write(piece, position);
            }
        }
    }

    /// Records that the next unit is complete.
    void finishUnit(Loss loss) throws IOException {
        unwritten
                .append(Double.toHexString(loss.squaredError()))
                .append(' ')
                .append(Double.toHexString(loss.squares()))
                .append('\n');
        if (unforcedBytes >= MAX_UNFORCED_BYTES) {
            force();
        }
    }

    private void force() throws IOException {
        if (!unwritten.isEmpty()) {
            data.force(false);
            append(unwritten.toString());
            unwritten.setLength(0);
        }
        unforcedBytes = 0;
    }

    /// Gives the whole file its length and its name.
    void complete(long bytes) throws IOException {
        if (data.size() < bytes) {
            write(bytes - 1, MemorySegment.ofArray(new byte[1]));
        }
        data.force(true);
        unwritten.setLength(0);
        close();
        Files.move(file, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Files.deleteIfExists(journalFile);
    }

    /// Removes the partial file.
    void discard() throws IOException {
        unwritten.setLength(0);
        close();
        Files.deleteIfExists(file);
        Files.deleteIfExists(journalFile);
    }

    @Override
    public void close() throws IOException {
        try (data;
                journal) {
            force();
        }
    }
}
