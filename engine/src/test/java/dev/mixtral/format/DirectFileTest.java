package dev.mixtral.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.mixtral.format.io.DirectFile;
import dev.mixtral.testing.Seeds;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Reading past the page cache gives the file's bytes, or leaves them to the caller.
class DirectFileTest {
    private static final int LARGEST_BLOCK = 1 << 16;

    @TempDir
    private Path folder;

    private Path file = Path.of("");
    private byte[] bytes = new byte[5 * LARGEST_BLOCK + 100];

    @BeforeEach
    void write() throws IOException {
        Seeds.random("direct file").nextBytes(bytes);
        file = Files.write(folder.resolve("file"), bytes);
    }

    private DirectFile open() {
        Optional<DirectFile> direct = DirectFile.open(file);
        assumeThat(direct)
                .describedAs("the file system of " + folder + " has no direct access: not tested")
                .isPresent();
        return direct.orElseThrow();
    }

    @Test
    void wholeBlocksAreRead() {
        try (DirectFile direct = open();
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(3 * LARGEST_BLOCK + 7, LARGEST_BLOCK);
            long done = direct.read(LARGEST_BLOCK, memory);
            assertThat(done).isBetween(3L * LARGEST_BLOCK, memory.byteSize());
            for (int i = 0; i < done; i++) {
                assertThat(memory.get(ValueLayout.JAVA_BYTE, i)).isEqualTo(bytes[LARGEST_BLOCK + i]);
            }
            assertThat(memory.asSlice(done).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
        }
    }

    @Test
    void theEndOfTheFileIsLeftToTheCaller() {
        try (DirectFile direct = open();
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(2 * LARGEST_BLOCK, LARGEST_BLOCK);
            assertThat(direct.read(4L * LARGEST_BLOCK, memory)).isLessThanOrEqualTo(LARGEST_BLOCK + 100);
        }
    }

    @Test
    void whatIsNotAlignedIsLeftToTheCaller() {
        try (DirectFile direct = open();
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(2 * LARGEST_BLOCK, LARGEST_BLOCK);
            assertThat(direct.read(1, memory)).isZero();
            assertThat(direct.read(0, memory.asSlice(1))).isZero();
            assertThat(direct.read(0, memory.asSlice(0, 5))).isZero();
        }
    }
}
