package dev.mixtral.server.batch;

import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
import tools.jackson.databind.node.ObjectNode;

/// What is done of a batch, on disk: a file to which results are added, and which is locked while it is open.
///
/// ```
/// {"mixtral_batch_journal":1,"input_bytes":…,"input_sha256":"…","model":"…"}      the head
/// 7 0a1b2c3d {"id":"batch_req_…","custom_id":…}                                 line of input, CRC-32C, line of output
/// ```
///
/// A line counts once it is whole, with the right checksum, and forced to disk. What follows the first that is not, the
/// trace of a sudden end, is cut off when the journal is opened. Confined to one thread.
final class BatchJournal implements AutoCloseable {
    private static final String MAGIC = "{\"mixtral_batch_journal\":1,";
    private static final int MAX_HEAD_BYTES = 4096;
    private static final int MAX_PREFIX_BYTES = 20;

    private final Path path;
    private final FileChannel channel;
    private final long[] offsets;
    private final int[] lengths;
    private long end;
    private long numBytesCut;
    private int numDone;
    private int numSucceeded;

    private BatchJournal(Path path, FileChannel channel, int numLines) {
        this.path = path;
        this.channel = channel;
        this.offsets = new long[numLines + 1];
        this.lengths = new int[numLines + 1];
    }

    /// Opens the journal of an input, or begins it.
    ///
    /// @param model name of what answers, which must not change either; empty if the requests name it
    /// @throws BatchException if another process has it open, it belongs to another input, or it is no journal
    static BatchJournal open(Path path, BatchInput input, String model) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        BatchJournal journal = new BatchJournal(path, channel, input.lastNumber());
        try {
            journal.lock();
            journal.load(input, model);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        return journal;
    }

    /// Held until the channel is closed, or the process is no more.
    private void lock() throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw new BatchException("another process is at work on " + path + ". Wait until it has ended.");
        }
    }

    private void load(BatchInput input, String model) throws IOException {
        byte[] head = head(input, model);
        byte[] start = read(0, (int) Math.min(channel.size(), MAX_HEAD_BYTES));
        int headEnd = indexOf(start, (byte) '\n');
        if (headEnd >= 0) {
            checkHead(Arrays.copyOf(start, headEnd), input, model);
            loadEntries(headEnd + 1);
        } else {
            // Without a whole head nothing was ever done; but a file of somebody else's is not to be written over.
            byte[] magic = MAGIC.getBytes(StandardCharsets.UTF_8);
            int common = Math.min(magic.length, start.length);
            if (!Arrays.equals(magic, 0, common, start, 0, common)) {
                throw notAJournal();
            }
            channel.truncate(0);
            write(ByteBuffer.wrap(head), 0);
            end = head.length;
            channel.force(true);
            DurableFiles.forceFolderOf(path);
        }
    }

    private static byte[] head(BatchInput input, String model) throws IOException {
        ObjectNode head = Json.object()
                .put("mixtral_batch_journal", 1)
                .put("input_bytes", input.size())
                .put("input_sha256", input.sha256())
                .put("model", model);
        return (Json.text(head) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private void checkHead(byte[] text, BatchInput input, String model) throws IOException {
        ObjectNode head;
        try {
            head = Json.parseObject(text);
        } catch (ApiException e) {
            throw notAJournal();
        }
        if (head.path("mixtral_batch_journal").asInt(0) != 1) {
            throw notAJournal();
        }
        String sha256 = head.path("input_sha256").asString("");
        if (!sha256.equals(input.sha256())) {
            throw new BatchException(input.path() + " is not the file that " + path + " was begun with: then "
                    + head.path("input_bytes").asLong(-1) + " bytes, SHA-256 " + shortened(sha256) + "; now "
                    + input.size() + " bytes, SHA-256 " + shortened(input.sha256())
                    + ". Put the old file back to go on, or delete " + path + " to begin anew.");
        }
        String then = head.path("model").asString("");
        if (!then.equals(model)) {
            throw new BatchException(path + " was begun with the model " + then + ", not with " + model
                    + ". Name that one to go on, or delete " + path + " to begin anew.");
        }
    }

    private static String shortened(String sha256) {
        return sha256.length() <= 12 ? sha256 : sha256.substring(0, 12) + "…";
    }

    private BatchException notAJournal() {
        return new BatchException(path + " is in the way: it is not the beginning of a batch's output. Move it away, or"
                + " choose another name for the output.");
    }

    private void loadEntries(long from) throws IOException {
        end = from;
        channel.position(from);
        LineScanner scanner = new LineScanner(Channels.newInputStream(channel), Integer.MAX_VALUE);
        while (scanner.next() && scanner.isTerminated() && loadEntry(from + scanner.offset(), scanner.bytes())) {
            end = from + scanner.offset() + scanner.length() + 1;
        }
        numBytesCut = channel.size() - end;
        if (numBytesCut > 0) {
            channel.truncate(end);
            channel.force(true);
        }
    }

    /// @return whether the entry is whole
    private boolean loadEntry(long offset, byte[] entry) {
        int first = indexOf(entry, (byte) ' ');
        int textStart = first + 10;
        if (first < 1 || first >= MAX_PREFIX_BYTES || textStart > entry.length || entry[textStart - 1] != ' ') {
            return false;
        }
        String number = new String(entry, 0, first, StandardCharsets.US_ASCII);
        byte[] text = Arrays.copyOfRange(entry, textStart, entry.length);
        if (!number.matches("[1-9][0-9]{0,8}")
                || !new String(entry, first + 1, 8, StandardCharsets.US_ASCII).equals(checksum(number, text))) {
            return false;
        }
        int line = Integer.parseInt(number);
        if (line >= offsets.length || isDone(line)) {
            return false;
        }
        note(line, offset + textStart, text.length, BatchResult.isSuccess(text));
        return true;
    }

    private void note(int line, long offset, int length, boolean succeeded) {
        offsets[line] = offset;
        lengths[line] = length;
        numDone++;
        numSucceeded += succeeded ? 1 : 0;
    }

    private static String checksum(String number, byte[] text) {
        CRC32C crc = new CRC32C();
        crc.update(number.getBytes(StandardCharsets.US_ASCII));
        crc.update(text);
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }

    private static int indexOf(byte[] bytes, byte wanted) {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == wanted) {
                return i;
            }
        }
        return -1;
    }

    private byte[] read(long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offset + bytes.position()) < 0) {
                throw new IOException(path + " became shorter while it was read");
            }
        }
        return bytes.array();
    }

    private void write(ByteBuffer bytes, long offset) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /// Adds results. They are on disk when it returns, and are done only then.
    void append(List<BatchResult> results) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        long[] starts = new long[results.size()];
        for (int i = 0; i < starts.length; i++) {
            BatchResult result = results.get(i);
            String number = Integer.toString(result.number());
            bytes.writeBytes(
                    (number + " " + checksum(number, result.text()) + " ").getBytes(StandardCharsets.US_ASCII));
            starts[i] = end + bytes.size();
            bytes.writeBytes(result.text());
            bytes.write('\n');
        }
        write(ByteBuffer.wrap(bytes.toByteArray()), end);
        channel.force(false);
        end += bytes.size();
        for (int i = 0; i < starts.length; i++) {
            BatchResult result = results.get(i);
            note(result.number(), starts[i], result.text().length, result.succeeded());
        }
    }

    /// Returns whether a line of input is done.
    boolean isDone(int line) {
        return offsets[line] > 0;
    }

    int numDone() {
        return numDone;
    }

    /// Returns how many of the done lines were answered with a status of success.
    int numSucceeded() {
        return numSucceeded;
    }

    /// Returns the bytes of an entry begun before a sudden end, which opening the journal cut off.
    long numBytesCut() {
        return numBytesCut;
    }

    /// Writes the lines of output that are done, in the order of the input.
    void writeOutput(OutputStream out, OutputFilter filter) throws IOException {
        for (int line = 1; line < offsets.length; line++) {
            if (isDone(line)) {
                byte[] text = read(offsets[line], lengths[line]);
                if (filter.takes(text)) {
                    out.write(text);
                    out.write('\n');
                }
            }
        }
    }

    /// Chooses lines of output.
    interface OutputFilter {
        boolean takes(byte[] text);
    }

    /// Lets go of the file and its lock.
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
