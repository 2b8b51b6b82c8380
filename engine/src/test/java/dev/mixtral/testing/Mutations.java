package dev.mixtral.testing;

import dev.mixtral.error.MixtralException;
import java.io.ByteArrayOutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Breaks a file in every way that is cheap to try. Reading each broken file must end in a [MixtralException] or in
/// something that can be used; a run is repeated with `-Dtests.seed=N`.
public final class Mutations {
    private static final Logger LOGGER = System.getLogger(Mutations.class.getName());

    /// What parsers of text trip over.
    private static final List<String> TEXTS = List.of(
            "[".repeat(5000),
            "{\"a\":".repeat(5000),
            "\"",
            "}",
            "]",
            ",",
            "null",
            "-1",
            "1e999999999",
            "4.5",
            "2147483648",
            "99999999999999999999999999999999",
            "9".repeat(2000),
            "\\u0000",
            "\\ud800",
            "../../etc/passwd",
            " ");

    /// What parsers of bytes trip over: lengths at the edges of their types, as little-endian numbers.
    private static final long[] NUMBERS = {
        0,
        1,
        -1,
        2,
        3,
        7,
        8,
        9,
        31,
        255,
        256,
        65_535,
        65_536,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        1L << 31,
        1L << 32,
        (1L << 32) - 1,
        1L << 40,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        Long.MAX_VALUE - 7,
        1L << 61,
        1L << 62
    };

    private final byte[] original;
    private final int mutablePart;
    private final Random random;

    private Mutations(byte[] original, int mutablePart, Random random) {
        this.original = original;
        this.mutablePart = mutablePart;
        this.random = random;
    }

    /// Reads a broken file and uses whatever comes out.
    @FunctionalInterface
    public interface Reader {
        /// Reads the file; returns normally if it could be read and used.
        void read(byte[] file) throws Exception;
    }

    /// Returns the seed of this run: `-Dtests.seed`, or a new one, which is logged.
    public static long seed() {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        LOGGER.log(Level.INFO, "-Dtests.seed={0}", Long.toString(seed));
        return seed;
    }

    /// Cuts the file off before every byte.
    ///
    /// @return how many of the cut files could be read
    public static int truncateEverywhere(byte[] original, Reader reader) {
        int readable = 0;
        for (int length = 0; length < original.length; length++) {
            byte[] file = Arrays.copyOf(original, length);
            if (survives(file, reader, "cut off at byte " + length)) {
                readable++;
            }
        }
        return readable;
    }

    /// Applies one to three random changes to the first bytes of the file, `count` times.
    ///
    /// @param mutablePart changes start before this byte
    /// @return how many of the changed files could be read
    public static int mutate(byte[] original, int mutablePart, int count, Reader reader) {
        long seed = seed();
        int readable = 0;
        for (int i = 0; i < count; i++) {
            Mutations mutations = new Mutations(original, mutablePart, new Random(seed + i));
            List<String> changes = new ArrayList<>();
            byte[] file = mutations.change(changes);
            if (survives(file, reader, "-Dtests.seed=" + seed + ", mutation " + i + ": " + changes)) {
                readable++;
            }
        }
        return readable;
    }

    private static boolean survives(byte[] file, Reader reader, String what) {
        try {
            reader.read(file);
            return true;
        } catch (MixtralException e) {
            return false;
        } catch (Throwable e) {
            throw new AssertionError(what, e);
        }
    }

    private byte[] change(List<String> changes) {
        byte[] file = original;
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            int at = random.nextInt(Math.min(mutablePart, file.length) + 1);
            file = changeOnce(file, at, changes);
        }
        return file;
    }

    private byte[] changeOnce(byte[] file, int at, List<String> changes) {
        int length = 1 + random.nextInt(16);
        int kind = random.nextInt(9);
        changes.add("kind " + kind + " at " + at);
        return switch (kind) {
            case 0 -> flipBit(file, at);
            case 1 -> replace(file, at, 1, new byte[] {(byte) random.nextInt(256)});
            case 2 -> replace(file, at, Integer.BYTES, number(Integer.BYTES));
            case 3 -> replace(file, at, Long.BYTES, number(Long.BYTES));
            case 4 -> replace(file, at, length, new byte[0]);
            case 5 -> replace(file, at, 0, randomBytes(length));
            case 6 -> replace(file, at, 0, Arrays.copyOfRange(file, at, Math.min(file.length, at + 8 * length)));
            case 7 -> replace(file, at, 0, text());
            default -> replace(file, at, random.nextInt(12), text());
        };
    }

    private byte[] flipBit(byte[] file, int at) {
        byte[] changed = file.clone();
        if (at < changed.length) {
            changed[at] ^= (byte) (1 << random.nextInt(8));
        }
        return changed;
    }

    private byte[] number(int bytes) {
        long number = NUMBERS[random.nextInt(NUMBERS.length)];
        byte[] littleEndian = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            littleEndian[i] = (byte) (number >>> (8 * i));
        }
        return littleEndian;
    }

    private byte[] randomBytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] text() {
        return TEXTS.get(random.nextInt(TEXTS.size())).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] replace(byte[] file, int at, int count, byte[] replacement) {
        int end = Math.min(file.length, at + count);
        ByteArrayOutputStream changed = new ByteArrayOutputStream();
        changed.write(file, 0, at);
        changed.writeBytes(replacement);
        changed.write(file, end, file.length - end);
        return changed.toByteArray();
    }
}
