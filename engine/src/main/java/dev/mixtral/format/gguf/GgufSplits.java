package dev.mixtral.format.gguf;

import dev.mixtral.error.ModelFormatException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Models that are split into `name-00001-of-00003.gguf` and so on. Only the first file has all metadata; offsets are
/// per file.
public final class GgufSplits {
    private static final Pattern SPLIT_NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

    private GgufSplits() {}

    /// Opens a file together with the other files of its set, the first first. An unsplit file is a set of one.
    ///
    /// @param path any file of the set
    /// @param arena owns the mappings
    public static List<GgufFile> open(Path path, Arena arena) {
        Path first = firstOf(path);
        List<GgufFile> files = new ArrayList<>();
        files.add(GgufFile.open(first, arena));
        int count = number(files.getFirst(), "split.count").orElse(1);
        if (count <= 1) {
            return files;
        }
        Matcher name = SPLIT_NAME.matcher(fileName(first));
        if (!name.matches() || Integer.parseInt(name.group(3)) != count) {
            throw new ModelFormatException(
                    first,
                    "is one of " + count + " files (`split.count`), a name like model-00001-of-"
                            + String.format(Locale.ROOT, "%05d", count) + ".gguf expected");
        }
        for (int no = 2; no <= count; no++) {
            files.add(GgufFile.open(sibling(first, name, no), arena));
        }
        checkNumbers(files, count);
        return files;
    }

    /// Returns whether a file is part of a set, but not its first.
    public static boolean isLaterPart(Path path) {
        Matcher name = SPLIT_NAME.matcher(fileName(path));
        return name.matches() && Integer.parseInt(name.group(2)) != 1;
    }

    private static Path firstOf(Path path) {
        Matcher name = SPLIT_NAME.matcher(fileName(path));
        return name.matches() ? sibling(path, name, 1) : path;
    }

    private static Path sibling(Path path, Matcher name, int no) {
        return path.resolveSibling(String.format(Locale.ROOT, "%s-%05d-of-%s.gguf", name.group(1), no, name.group(3)));
    }

    private static String fileName(Path path) {
        return String.valueOf(path.getFileName());
    }

    private static void checkNumbers(List<GgufFile> files, int count) {
        int numTensors = 0;
        for (int i = 0; i < count; i++) {
            GgufFile file = files.get(i);
            expect(file, "split.no", i);
            expect(file, "split.count", count);
            numTensors += file.tensors().size();
        }
        GgufFile first = files.getFirst();
        OptionalInt expected = number(first, "split.tensors.count");
        if (expected.isPresent() && expected.getAsInt() != numTensors) {
            throw new ModelFormatException(
                    first.path(),
                    "`split.tensors.count` is " + expected.getAsInt() + ", but the files hold " + numTensors
                            + " tensors");
        }
    }

    private static void expect(GgufFile file, String key, int expected) {
        OptionalInt got = number(file, key);
        if (got.isEmpty() || got.getAsInt() != expected) {
            throw new ModelFormatException(
                    file.path(),
                    "`" + key + "`: " + expected + " expected, got " + (got.isPresent() ? got.getAsInt() : "nothing"));
        }
    }

    private static OptionalInt number(GgufFile file, String key) {
        return file.metadata().integer(key);
    }
}
