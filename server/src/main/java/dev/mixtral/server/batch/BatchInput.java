package dev.mixtral.server.batch;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/// A file of requests, one a line, of which only the places are in memory. Confined to one thread.
///
/// The file stays open, so that what is read later is what was scanned, even if another takes its name.
final class BatchInput implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final String sha256;
    private final int maxLineBytes;
    private int[] numbers = new int[64];
    private long[] offsets = new long[64];
    private long[] lengths = new long[64];
    private int numLines;
    private int lastNumber;

    private BatchInput(Path path, FileChannel channel, int maxLineBytes) throws IOException {
        this.path = path;
        this.channel = channel;
        this.maxLineBytes = maxLineBytes;
        this.sha256 = scan();
    }

    /// Opens a file and looks for its lines; blank ones do not count.
    ///
    /// @param maxLineBytes longer lines are not read
    static BatchInput open(Path path, int maxLineBytes) throws IOException {
        if (Files.isDirectory(path)) {
            throw new BatchException(path + " is a folder; expected a file with one request a line (JSONL).");
        }
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new BatchInput(path, channel, maxLineBytes);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private String scan() throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        InputStream in = new DigestInputStream(Channels.newInputStream(channel), digest);
        LineScanner scanner = new LineScanner(in, maxLineBytes);
        while (scanner.next()) {
            lastNumber++;
            if (scanner.length() > maxLineBytes || !isBlank(scanner.bytes())) {
                add(scanner.offset(), scanner.length());
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static boolean isBlank(byte[] line) {
        for (byte b : line) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    private void add(long offset, long length) {
        if (numLines == numbers.length) {
            numbers = Arrays.copyOf(numbers, 2 * numLines);
            offsets = Arrays.copyOf(offsets, 2 * numLines);
            lengths = Arrays.copyOf(lengths, 2 * numLines);
        }
        numbers[numLines] = lastNumber;
        offsets[numLines] = offset;
        lengths[numLines] = length;
        numLines++;
    }

    Path path() {
        return path;
    }

    /// Returns the number of lines that are not blank.
    int numLines() {
        return numLines;
    }

    /// Returns the number of the file's last line, blank or not; the first is 1.
    int lastNumber() {
        return lastNumber;
    }

    /// Returns the number, in the file, of a line that is not blank.
    ///
    /// @param index from 0
    int number(int index) {
        return numbers[index];
    }

    /// Returns the size of the file when it was scanned.
    long size() throws IOException {
        return channel.size();
    }

    /// Returns what the file held when it was scanned, as 64 hexadecimal digits.
    String sha256() {
        return sha256;
    }

    /// Reads a line that is not blank and makes a request of it.
    BatchLine read(int index) throws IOException {
        int number = numbers[index];
        if (lengths[index] > maxLineBytes) {
            return new BatchLine.Unusable(
                    number,
                    null,
                    "line_too_long",
                    "the line has " + lengths[index] + " bytes; expected at most " + maxLineBytes);
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) lengths[index]);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offsets[index] + bytes.position()) < 0) {
                throw new IOException(path + " became shorter while it was read; it ends before line " + number);
            }
        }
        return BatchLine.parse(number, bytes.array());
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
