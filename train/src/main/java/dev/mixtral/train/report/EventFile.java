package dev.mixtral.train.report;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.zip.CRC32C;

/// Writes the event files that TensorBoard shows: scalars by tag and step.
///
/// Each record is u64 length, u32 checksum of the length, the bytes of an `Event`, u32 checksum of the
/// bytes, all
/// little-endian; a checksum is CRC-32C, rotated right by 15 bits, plus 0xa282ead8. Source: TensorFlow's
/// `tfrecord`, `event.proto` (wall_time = 1, step = 2, file_version = 3, summary = 5) and `summary.proto`
/// (value = 1;
/// tag
/// = 1, simple_value = 2). Not thread-safe.
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
            Message event = event(0).text(3, "brain.Event:2");
            record(event);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// Writes one value, and hands it to the operating system.
    public void scalar(String tag, int step, double value) {
        Message summaryValue = new Message().text(1, tag).number(2, (float) value);
        Message summary = new Message().message(1, summaryValue);
        try {
            record(event(step).message(5, summary));
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private Message event(int step) {
        Instant now = clock.instant();
        return new Message()
                .number(1, now.getEpochSecond() + now.getNano() / 1e9)
                .whole(2, step);
    }

    private void record(Message event) throws IOException {
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

    /// A protobuf message under construction: fields in the order of the calls.
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        /// Zero is what a reader takes for a field that is not there.
        Message whole(int field, long value) {
            if (value != 0) {
                varint(field << 3);
                varint(value);
            }
            return this;
        }

        Message number(int field, double value) {
            varint(field << 3 | 1);
            bytes.writeBytes(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putDouble(value)
                    .array());
            return this;
        }

        Message number(int field, float value) {
            varint(field << 3 | 5);
            bytes.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(value)
                    .array());
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return bytes(field, value.toByteArray());
        }

        private Message bytes(int field, byte[] value) {
            varint(field << 3 | 2);
            varint(value.length);
            bytes.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                bytes.write((int) ((rest & 0x7f) | 0x80));
                rest >>>= 7;
            }
            bytes.write((int) rest);
        }

        byte[] toByteArray() {
            return bytes.toByteArray();
        }
    }
}
