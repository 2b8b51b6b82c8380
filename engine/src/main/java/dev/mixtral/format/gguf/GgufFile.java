package dev.mixtral.format.gguf;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.io.MappedFile;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One GGUF file of version 2 or 3, mapped and checked.
///
/// ```
/// "GGUF" | u32 version | u64 numTensors | u64 numPairs | pairs… | tensor infos… | padding | data
/// ```
///
/// @param path the file
/// @param metadata its key–value pairs
/// @param tensors in file order; shapes outermost dimension first, hence the reverse of the file's own order
/// @param blobs tensors of type I8 in files that say what they hold ([#PACK_VERSION_KEY]), by name
public record GgufFile(Path path, GgufMetadata metadata, List<Tensor> tensors, Map<String, Blob> blobs) {
    /// The first four bytes, as a little-endian number.
    public static final int MAGIC = 0x46554747;

    /// The key that makes a file a packed model.
    public static final String PACK_VERSION_KEY = "mixtral.pack.version";

    /// The key of the data's alignment.
    public static final String ALIGNMENT_KEY = "general.alignment";

    /// ggml's I8.
    static final int BLOB_TYPE = 24;

    static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_DIMS = 4;
    private static final int MIN_PAIR_BYTES = 8 + 4 + 1;
    private static final int MIN_TENSOR_INFO_BYTES = 8 + 4 + 8 + 4 + 8;

    /// Bytes without a type.
    ///
    /// @param bytes in the mapping
    /// @param offset where they begin in the file
    public record Blob(MemorySegment bytes, long offset) {}

    /// Where a tensor's bytes lie.
    private record Extent(String name, long begin, long end) {}

    /// Maps and checks a file.
    ///
    /// @param arena owns the mapping
    /// @throws ModelFormatException if the file breaks a rule of the format
    /// @throws UnsupportedModelException if it is of a version, byte order or tensor type that is not read here
    public static GgufFile open(Path path, Arena arena) {
        MemorySegment bytes = MappedFile.map(path, arena);
        GgufCursor cursor = new GgufCursor(path.toString(), bytes);
        if (cursor.int32("magic") != MAGIC) {
            throw new ModelFormatException(path, "does not start with \"GGUF\"");
        }
        checkVersion(path, cursor.int32("version"));
        long numTensors = cursor.count(MIN_TENSOR_INFO_BYTES, "number of tensors");
        long numPairs = cursor.count(MIN_PAIR_BYTES, "number of key-value pairs");
        GgufMetadata metadata = readMetadata(cursor, path.toString(), numPairs);
        long alignment = alignment(metadata);
        List<TensorInfo> infos =
                readInfos(cursor, path.toString(), numTensors, metadata.keys().contains(PACK_VERSION_KEY));
        MemorySegment data = bytes.asSlice(Math.min(alignUp(cursor.position(), alignment), bytes.byteSize()));
        List<Tensor> tensors = new ArrayList<>();
        Map<String, Blob> blobs = new LinkedHashMap<>();
        List<Extent> extents = new ArrayList<>();
        for (TensorInfo info : infos) {
            Extent extent = info.extent(path, data.byteSize(), alignment);
            extents.add(extent);
            MemorySegment stored = data.asSlice(extent.begin, extent.end - extent.begin);
            if (info.type == null) {
                blobs.put(info.name, new Blob(stored, stored.address() - bytes.address()));
            } else {
                tensors.add(new Tensor(info.name, info.type, info.shape, stored));
            }
        }
        checkDisjoint(path, extents);
        return new GgufFile(path, metadata, List.copyOf(tensors), Collections.unmodifiableMap(blobs));
    }

    private static void checkVersion(Path path, int version) {
        switch (version) {
            case 2, 3 -> {}
            case 1 ->
                throw new UnsupportedModelException(
                        path + ": GGUF version 1, which has 32-bit lengths. Versions 2 and 3 are supported: convert the"
                                + " model again with a current tool.");
            case 0x0200_0000, 0x0300_0000 ->
                throw new UnsupportedModelException(path + ": a big-endian GGUF file. Only little-endian files are"
                        + " supported: use the little-endian one.");
            default ->
                throw new UnsupportedModelException(path + ": GGUF version " + Integer.toUnsignedString(version)
                        + ". Versions 2 and 3 are supported.");
        }
    }

    private static GgufMetadata readMetadata(GgufCursor cursor, String file, long numPairs) {
        Map<String, GgufValue> values = new LinkedHashMap<>();
        for (long i = 0; i < numPairs; i++) {
            String key = cursor.name("key " + i);
            if (values.containsKey(key)) {
                throw cursor.broken("key `" + key + "` occurs twice");
            }
            values.put(key, cursor.value(key));
        }
        return new GgufMetadata(file, values);
    }

    private static long alignment(GgufMetadata metadata) {
        int alignment = metadata.integer(ALIGNMENT_KEY).orElse(DEFAULT_ALIGNMENT);
        if (Integer.bitCount(alignment) != 1) {
            throw new ModelFormatException(
                    metadata.file(), "`" + ALIGNMENT_KEY + "`: a power of two expected, got " + alignment, null);
        }
        return alignment;
    }

    private static List<TensorInfo> readInfos(GgufCursor cursor, String file, long numTensors, boolean hasBlobs) {
        List<TensorInfo> infos = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (long i = 0; i < numTensors; i++) {
            TensorInfo info = TensorInfo.read(cursor, file, i, hasBlobs);
            if (!names.add(info.name)) {
                throw cursor.broken("tensor " + info.name + " occurs twice");
            }
            infos.add(info);
        }
        return infos;
    }

    private static long alignUp(long position, long alignment) {
        return (position + alignment - 1) & -alignment;
    }

    private static void checkDisjoint(Path path, List<Extent> extents) {
        extents.sort(Comparator.comparingLong(Extent::begin).thenComparingLong(Extent::end));
        for (int i = 1; i < extents.size(); i++) {
            Extent before = extents.get(i - 1);
            Extent extent = extents.get(i);
            if (extent.begin < before.end) {
                throw new ModelFormatException(
                        path,
                        "tensors " + before.name + " and " + extent.name + " overlap at data byte " + extent.begin);
            }
        }
    }

    /// A tensor as the header describes it.
    ///
    /// @param type `null` for a blob
    /// @param shape outermost dimension first
    /// @param offset from the start of the data section
    private record TensorInfo(String name, @Nullable DType type, long[] shape, long offset) {
        static TensorInfo read(GgufCursor cursor, String file, long index, boolean hasBlobs) {
            String name = cursor.name("name of tensor " + index);
            int numDims = cursor.int32("dimensions of tensor " + name);
            if (numDims < 1 || numDims > MAX_DIMS) {
                throw cursor.broken("tensor " + name + " has " + Integer.toUnsignedString(numDims)
                        + " dimensions, 1 to " + MAX_DIMS + " expected");
            }
            long[] shape = new long[numDims];
            for (int i = numDims - 1; i >= 0; i--) {
                shape[i] = cursor.int64("shape of tensor " + name);
                if (shape[i] < 0) {
                    throw cursor.broken("tensor " + name + " has a dimension of " + Long.toUnsignedString(shape[i]));
                }
            }
            int typeId = cursor.int32("type of tensor " + name);
            if (hasBlobs && typeId == BLOB_TYPE) {
                return new TensorInfo(name, null, shape, cursor.int64("offset of tensor " + name));
            }
            DType type = GgmlTypeNames.require(file, name, typeId);
            if (shape[numDims - 1] % type.blockSize() != 0) {
                throw cursor.broken("tensor " + name + " of type " + type + " has rows of " + shape[numDims - 1]
                        + " elements, a multiple of " + type.blockSize() + " expected");
            }
            return new TensorInfo(name, type, shape, cursor.int64("offset of tensor " + name));
        }

        Extent extent(Path path, long dataBytes, long alignment) {
            long size = byteSize(path);
            if (offset < 0 || offset % alignment != 0) {
                throw new ModelFormatException(
                        path,
                        "tensor " + name + " lies at data offset " + Long.toUnsignedString(offset) + ", a multiple of "
                                + alignment + " expected");
            }
            if (offset > dataBytes || size > dataBytes - offset) {
                throw new ModelFormatException(
                        path,
                        "tensor " + name + " takes data bytes " + offset + " to " + offset + " + " + size
                                + ", but the file holds " + Math.max(0, dataBytes) + " bytes of data");
            }
            return new Extent(name, offset, offset + size);
        }

        private long byteSize(Path path) {
            try {
                long numElements = 1;
                for (long n : shape) {
                    numElements = Math.multiplyExact(numElements, n);
                }
                return type == null ? numElements : type.byteSize(numElements);
            } catch (ArithmeticException e) {
                throw new ModelFormatException(path.toString(), "tensor " + name + " has more than 2^63 bytes", e);
            }
        }
    }
}
