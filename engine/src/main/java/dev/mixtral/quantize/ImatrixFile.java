package dev.mixtral.quantize;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.format.io.MappedFile;
import dev.mixtral.tensor.LittleEndian;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads what llama.cpp's `llama-imatrix` writes.
///
/// As GGUF: tensors `NAME.in_sum2` `[matrices, cols]`, sums of squares, and `NAME.counts` `[matrices, 1]`. In the older
/// form: `i32` entries, each `i32` length and name, `i32` calls, `i32` count and that many `f32` sums of the calls'
/// means.
final class ImatrixFile {
    private static final String SUMS = ".in_sum2";
    private static final String COUNTS = ".counts";

    private final Path file;
    private final MemorySegment bytes;
    private long at;

    private ImatrixFile(Path file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /// @throws MixtralException if the file is missing, broken or no importance matrix
    static ImportanceMatrix read(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = MappedFile.map(file, arena);
            boolean isGguf = bytes.byteSize() >= Integer.BYTES && bytes.get(LittleEndian.INT, 0) == GgufFile.MAGIC;
            Map<String, float[]> columns =
                    isGguf ? ofGguf(GgufFile.open(file, arena)) : new ImatrixFile(file, bytes).entries();
            if (columns.isEmpty()) {
                throw new ModelFormatException(file, "holds no importance matrix");
            }
            return new ImportanceMatrix(file.toString(), columns);
        }
    }

    private static Map<String, float[]> ofGguf(GgufFile file) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        file.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
        Map<String, float[]> columns = new LinkedHashMap<>();
        for (Tensor sums : file.tensors()) {
            if (sums.name().endsWith(SUMS)) {
                String name = sums.name().substring(0, sums.name().length() - SUMS.length());
                columns.put(name, means(file.path(), name, sums, tensors.get(name + COUNTS)));
            }
        }
        return columns;
    }

    private static float[] means(Path file, String name, Tensor sums, @Nullable Tensor counts) {
        if (counts == null || counts.numElements() != sums.rows()) {
            throw new ModelFormatException(
                    file,
                    "importance of " + name + ": " + sums.rows() + " counts expected, got "
                            + (counts == null ? 0 : counts.numElements()));
        }
        float[] values = sums.toFloats();
        float[] divisors = counts.toFloats();
        for (int i = 0; i < values.length; i++) {
            float count = divisors[i / sums.cols()];
            values[i] = count > 0 ? values[i] / count : 0;
        }
        return values;
    }

    private Map<String, float[]> entries() {
        int numEntries = count(3 * Integer.BYTES, "number of entries");
        Map<String, float[]> columns = new LinkedHashMap<>();
        for (int entry = 0; entry < numEntries; entry++) {
            int length = count(1, "length of a name");
            byte[] name = MappedFile.copy(bytes, at, length);
            at += length;
            float calls = Math.max(1, int32("number of calls"));
            float[] values = new float[count(Float.BYTES, "number of values")];
            for (int i = 0; i < values.length; i++) {
                values[i] = Float.intBitsToFloat(int32("a value")) / calls;
            }
            columns.put(new String(name, StandardCharsets.UTF_8), values);
        }
        return columns;
    }

    /// Returns a count of things of which each takes at least `minBytes`.
    private int count(int minBytes, String what) {
        int count = int32(what);
        if (count < 0 || count > (bytes.byteSize() - at) / minBytes) {
            throw new ModelFormatException(
                    file, what + " is " + count + ", but " + (bytes.byteSize() - at) + " bytes are left");
        }
        return count;
    }

    private int int32(String what) {
        if (bytes.byteSize() - at < Integer.BYTES) {
            throw new ModelFormatException(file, "ends at byte " + at + ", before " + what);
        }
        int value = bytes.get(LittleEndian.INT, at);
        at += Integer.BYTES;
        return value;
    }
}
