package dev.mixtral.format.safetensors;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.io.MappedFile;
import dev.mixtral.format.io.StrictText;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.LittleEndian;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One safetensors file, mapped and checked.
///
/// ```
/// u64 headerBytes | JSON header, first byte '{', padded with spaces | data
/// ```
///
/// Only byte alignment of the data may be relied upon: some writers do not pad the header.
///
/// @param path the file
/// @param metadata the `__metadata__` strings; empty if there are none
/// @param tensors in the order of the header
public record SafetensorsFile(Path path, Map<String, String> metadata, List<Tensor> tensors) {
    /// The reference implementation's limit.
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int MIN_HEADER_BYTES = 2;
    private static final Set<String> OTHER_DTYPES = Set.of(
            "BOOL",
            "U8",
            "I8",
            "F4",
            "F6_E2M3",
            "F6_E3M2",
            "F8_E5M2",
            "F8_E4M3",
            "F8_E8M0",
            "F8_E4M3FNUZ",
            "F8_E5M2FNUZ",
            "I16",
            "U16",
            "I32",
            "U32",
            "F64",
            "I64",
            "U64",
            "C64");

    /// Maps and checks a file.
    ///
    /// @param arena owns the mapping
    /// @throws ModelFormatException if the file breaks a rule of the format
    /// @throws UnsupportedModelException if it holds tensors of other types than F32, F16 and BF16
    public static SafetensorsFile open(Path path, Arena arena) {
        MemorySegment bytes = MappedFile.map(path, arena);
        long headerBytes = headerBytes(path, bytes);
        String text = StrictText.decode(
                path.toString(), "the header", MappedFile.copy(bytes, Long.BYTES, Math.toIntExact(headerBytes)));
        if (!text.startsWith("{")) {
            throw new ModelFormatException(path, "the header does not start with `{`");
        }
        SafetensorsHeader header = SafetensorsHeader.parse(path.toString(), text);
        MemorySegment data = bytes.asSlice(Long.BYTES + headerBytes);
        checkCoverage(path, header.entries(), data.byteSize());
        List<Tensor> tensors = new ArrayList<>();
        for (SafetensorsHeader.Entry entry : header.entries()) {
            tensors.add(toTensor(path, entry, data));
        }
        return new SafetensorsFile(path, header.metadata(), List.copyOf(tensors));
    }

    /// Returns whether the first bytes of a file look like this format.
    ///
    /// @param head at least the first nine bytes of the file, or all of it
    public static boolean recognises(byte[] head) {
        if (head.length <= Long.BYTES || head[Long.BYTES] != '{') {
            return false;
        }
        long headerBytes = MemorySegment.ofArray(head).get(LittleEndian.LONG, 0);
        return headerBytes >= MIN_HEADER_BYTES && headerBytes <= MAX_HEADER_BYTES;
    }

    private static long headerBytes(Path path, MemorySegment bytes) {
        if (bytes.byteSize() < Long.BYTES) {
            throw new ModelFormatException(path, "has " + bytes.byteSize() + " bytes, at least 10 expected");
        }
        long headerBytes = bytes.get(LittleEndian.LONG, 0);
        if (headerBytes < MIN_HEADER_BYTES || headerBytes > MAX_HEADER_BYTES) {
            throw new ModelFormatException(
                    path,
                    "header length of " + MIN_HEADER_BYTES + " to " + MAX_HEADER_BYTES + " expected, got "
                            + Long.toUnsignedString(headerBytes));
        }
        if (headerBytes > bytes.byteSize() - Long.BYTES) {
            throw new ModelFormatException(
                    path, "ends at byte " + bytes.byteSize() + " inside its header of " + headerBytes + " bytes");
        }
        return headerBytes;
    }

    /// The data section must be covered exactly: no overlap, no hole, nothing left over.
    private static void checkCoverage(Path path, List<SafetensorsHeader.Entry> entries, long dataBytes) {
        List<SafetensorsHeader.Entry> sorted = new ArrayList<>(entries);
        sorted.sort(Comparator.comparingLong(SafetensorsHeader.Entry::begin)
                .thenComparingLong(SafetensorsHeader.Entry::end));
        long covered = 0;
        for (SafetensorsHeader.Entry entry : sorted) {
            if (entry.begin() != covered) {
                String fault = entry.begin() < covered ? "overlaps the tensor before it" : "leaves a hole before it";
                throw new ModelFormatException(
                        path,
                        "tensor " + entry.name() + " " + fault + ": begins at data byte " + entry.begin() + ", "
                                + covered + " expected");
            }
            covered = entry.end();
        }
        if (covered != dataBytes) {
            throw new ModelFormatException(
                    path,
                    "its tensors take " + covered + " bytes, but " + dataBytes + " bytes of data follow the header");
        }
    }

    private static Tensor toTensor(Path path, SafetensorsHeader.Entry entry, MemorySegment data) {
        DType type = dtype(path, entry);
        long size = entry.end() - entry.begin();
        if (size != byteSize(path, entry, type)) {
            throw new ModelFormatException(
                    path,
                    "tensor " + entry.name() + ": " + byteSize(path, entry, type) + " bytes expected, got " + size);
        }
        return new Tensor(entry.name(), type, entry.shape(), data.asSlice(entry.begin(), size));
    }

    private static DType dtype(Path path, SafetensorsHeader.Entry entry) {
        return switch (entry.dtype()) {
            case "F32" -> DType.F32;
            case "F16" -> DType.F16;
            case "BF16" -> DType.BF16;
            case String other
            when OTHER_DTYPES.contains(other) ->
                throw new UnsupportedModelException(path + ": tensor " + entry.name() + " has type " + other
                        + ". F32, F16 and BF16 are supported: use an unquantised checkpoint, or a GGUF file.");
            case String other ->
                throw new ModelFormatException(
                        path, "tensor " + entry.name() + " has the unknown type `" + other + "`");
        };
    }

    private static long byteSize(Path path, SafetensorsHeader.Entry entry, DType type) {
        try {
            long numElements = 1;
            for (long n : entry.shape()) {
                numElements = Math.multiplyExact(numElements, n);
            }
            return type.byteSize(numElements);
        } catch (ArithmeticException e) {
            throw new ModelFormatException(path.toString(), "tensor " + entry.name() + " has more than 2^63 bytes", e);
        }
    }
}
