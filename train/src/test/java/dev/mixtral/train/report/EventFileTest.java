package dev.mixtral.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
    @TempDir
    private Path folder;

    private byte[] written() throws IOException {
        Clock clock = Clock.fixed(Instant.ofEpochSecond(1_700_000_000), ZoneOffset.UTC);
        try (EventFile events = new EventFile(folder, clock)) {
            events.scalar("train/loss", 300, 0.5);
        }
        try (var files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(1);
            assertThat(all.getFirst().getFileName().toString()).startsWith("events.out.tfevents.1700000000.");
            return Files.readAllBytes(all.getFirst());
        }
    }

    /// The checksum of a length of 24, which every file of TensorFlow begins with, is known from such files.
    @Test
    void beginsLikeEveryFileOfTensorFlow() throws IOException {
        byte[] bytes = written();
        assertThat(HexFormat.of().formatHex(bytes, 0, 12)).isEqualTo("1800000000000000a37f4b22");
        assertThat(new String(bytes, 12, 24, StandardCharsets.ISO_8859_1)).endsWith("brain.Event:2");
    }

    @Test
    void holdsTheScalarInTheFieldsOfTheFormat() throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(written()).order(ByteOrder.LITTLE_ENDIAN);
        buffer.position(12 + 24 + 4);
        int length = (int) buffer.getLong();
        buffer.getInt();
        assertThat(buffer.remaining()).isEqualTo(length + 4);
        assertThat(buffer.get()).isEqualTo((byte) 0x09); // wall_time, 64 bits
        assertThat(buffer.getDouble()).isEqualTo(1_700_000_000.0);
        assertThat(buffer.get()).isEqualTo((byte) 0x10); // step, varint 300
        assertThat(buffer.get()).isEqualTo((byte) 0xac);
        assertThat(buffer.get()).isEqualTo((byte) 0x02);
        assertThat(buffer.get()).isEqualTo((byte) 0x2a); // summary
        assertThat((int) buffer.get()).isEqualTo(19);
        assertThat(buffer.get()).isEqualTo((byte) 0x0a); // value
        assertThat((int) buffer.get()).isEqualTo(17);
        assertThat(buffer.get()).isEqualTo((byte) 0x0a); // tag
        byte[] tag = new byte[buffer.get()];
        buffer.get(tag);
        assertThat(new String(tag, StandardCharsets.UTF_8)).isEqualTo("train/loss");
        assertThat(buffer.get()).isEqualTo((byte) 0x15); // simple_value, 32 bits
        assertThat(buffer.getFloat()).isEqualTo(0.5f);
    }
}
