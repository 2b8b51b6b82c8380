package dev.mixtral.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.MixtralException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.format.gguf.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Both forms of llama.cpp's importance matrices.
class ImatrixFileTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void readsGguf() {
        Path file = folder.resolve("imatrix.gguf");
        GgufWriter.write(
                file,
                Map.of("general.type", GgufValue.of("imatrix")),
                List.of(
                        GgufWriter.Entry.of("a.in_sum2", new long[] {2, 3}, new float[] {2, 4, 6, 7, 7, 7}),
                        GgufWriter.Entry.of("a.counts", new long[] {2, 1}, new float[] {2, 0})));

        ImportanceMatrix importance = ImportanceMatrix.read(file);

        assertThat(importance.size()).isEqualTo(1);
        assertThat(importance.of("a", 0, 2, 3).orElseThrow()).containsExactly(1, 2, 3);
        assertThat(importance.of("a", 1, 2, 3)).isEmpty();
        assertThat(importance.of("b", 0, 1, 3)).isEmpty();
    }

    @Test
    void ggufWithoutCountsIsRefused() {
        Path file = folder.resolve("imatrix.gguf");
        GgufWriter.write(
                file, Map.of(), List.of(GgufWriter.Entry.of("a.in_sum2", new long[] {1, 3}, new float[] {2, 4, 6})));

        assertThatThrownBy(() -> ImportanceMatrix.read(file))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("1 counts expected, got 0");
    }

    private static byte[] legacy() {
        ByteBuffer bytes = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(1)
                .putInt(3)
                .put("a.b".getBytes(StandardCharsets.UTF_8))
                .putInt(4)
                .putInt(2);
        bytes.putFloat(8).putFloat(2);
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    @Test
    void readsTheOlderForm() throws IOException {
        Path file = Files.write(folder.resolve("imatrix.dat"), legacy());

        assertThat(ImportanceMatrix.read(file).of("a.b", 0, 1, 2).orElseThrow()).containsExactly(2, 0.5f);
    }

    @Test
    void brokenFilesAreRefusedAtEveryLength() throws IOException {
        byte[] whole = legacy();
        for (int length = 0; length < whole.length; length++) {
            Path file = Files.write(folder.resolve("short.dat"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> ImportanceMatrix.read(file))
                    .as("%d bytes", length)
                    .isInstanceOf(MixtralException.class);
        }
        byte[] negative = whole.clone();
        negative[negative.length - 1] = (byte) 0xc0;
        Path file = Files.write(folder.resolve("negative.dat"), negative);
        assertThatThrownBy(() -> ImportanceMatrix.read(file)).hasMessageContaining("importance of a.b [1]");
    }
}
