package dev.mixtral.train.report;

import dev.mixtral.format.io.ProtobufWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.zip.CRC32C;

/// Writes the event files that TensorBoard shows: scalars by tag and step.
///
/// Each record is u64 length, u32 checksum of the length, the bytes of an `Event`, u32 checksum of the bytes, all
/// little-endian; a checksum is CRC-32C, rotated right by 15 bits, plus 0xa282ead8. Source: TensorFlow's `tfrecord`,
/// `event.proto` (wall_time = 1, step = 2, file_version = 3, summary = 5) and `summary.proto` (value = 1; tag = 1,
/// simple_value = 2). Not thread-safe.
public final class EventFile implements AutoCloseable {
    private static final int MASK = 0xa282ead8;

    private final Path file;
    private final OutputStream out;
    private final Clock clock;

    /// Begins a file in a folder, named as TensorBoard expects.
    ///
    /// @throws UncheckedIOException if it cannot be written
    public EventFile(Path folder, Clock clock) {
        this.clock = clock;
        Instant now = clock.instant();
        this.file =
                folder.resolve("events.out.tfevents.%d.%09d.mixtral".formatted(now.getEpochSecond(), now.getNano()));
        try {
            this.out = Files.newOutputStream(file);
            record(event(0).string(3, "brain.Event:2"));
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// Writes one value, and hands it to the operating system.
    public void scalar(String tag, int step, double value) {
        ProtobufWriter summaryValue = new ProtobufWriter().string(1, tag).float32(2, (float) value);
        ProtobufWriter summary = new ProtobufWriter().message(1, summaryValue);
        try {
            record(event(step).message(5, summary));
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private ProtobufWriter event(int step) {
        Instant now = clock.instant();
        ProtobufWriter event = new ProtobufWriter().float64(1, now.getEpochSecond() + now.getNano() / 1e9);
        // Zero is what a reader takes for a field that is not there.
        return step == 0 ? event : event.number(2, step);
    }

    private void record(ProtobufWriter event) throws IOException {
        byte[] data = event.toByteArray();
        byte[] length = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(data.length)
                .array();
        ByteBuffer record = ByteBuffer.allocate(16 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        record.put(length).putInt(checksum(length)).put(data).putInt(checksum(data));
        out.write(record.array());
        out.flush();
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
    }

    private UncheckedIOException failed(IOException e) {
        return new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }
}
