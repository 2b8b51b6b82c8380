package dev.mixtral.format.gguf;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.io.MappedFile;
import dev.mixtral.format.io.StrictText;
import dev.mixtral.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Reads a GGUF header from front to back. Every length is checked against the bytes that remain before anything of
/// that length is allocated. Confined to one thread.
final class GgufCursor {
    /// The specification's limit for keys; ggml's own for tensor names is 64.
    private static final int MAX_NAME_BYTES = 65_535;

    private final String file;
    private final MemorySegment bytes;
    private long position;

    GgufCursor(String file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    long position() {
        return position;
    }

    int int32(String what) {
        return bytes.get(LittleEndian.INT, advance(Integer.BYTES, what));
    }

    long int64(String what) {
        return bytes.get(LittleEndian.LONG, advance(Long.BYTES, what));
    }

    /// Reads a count of things that take at least `minBytes` bytes each.
    long count(int minBytes, String what) {
        long count = int64(what);
        if (count < 0 || count > remaining() / minBytes) {
            throw broken(what + " is " + Long.toUnsignedString(count) + ", but only " + remaining()
                    + " bytes follow, and each takes at least " + minBytes);
        }
        return count;
    }

    /// Reads a key or the name of a tensor.
    String name(String what) {
        long length = count(1, "length of " + what);
        if (length > MAX_NAME_BYTES) {
            throw broken(what + " has " + length + " bytes, at most " + MAX_NAME_BYTES + " expected");
        }
        return StrictText.decode(file, what, take((int) length, what));
    }

    /// Reads a metadata value with its type.
    GgufValue value(String key) {
        GgufType type = type(key);
        return switch (type.kind()) {
            case INTEGER -> new GgufValue.Int(type, GgufValue.readInteger(type, bytes, advance(type.minBytes(), key)));
            case REAL -> new GgufValue.Real(type, GgufValue.readReal(type, bytes, advance(type.minBytes(), key)));
            case BOOL -> new GgufValue.Bool(bool(key));
            case STRING -> new GgufValue.Text(take(stringLength(key), key));
            case ARRAY -> array(key);
        };
    }

    private GgufType type(String key) {
        int id = int32("type of `" + key + "`");
        return GgufType.ofId(id)
                .orElseThrow(() -> broken("`" + key + "` has the unknown value type " + Integer.toUnsignedString(id)));
    }

    private GgufValue.Array array(String key) {
        GgufType elementType = type(key);
        if (elementType == GgufType.ARRAY) {
            throw broken("`" + key + "` is an array of arrays, which GGUF readers do not accept");
        }
        long length = count(elementType.minBytes(), "length of array `" + key + "`");
        if (length > Integer.MAX_VALUE) {
            throw broken("array `" + key + "` has " + length + " elements");
        }
        long start = position;
        for (long i = 0; i < length; i++) {
            switch (elementType.kind()) {
                case STRING -> advance(stringLength(key), key);
                case BOOL -> bool(key);
                case INTEGER, REAL, ARRAY -> advance(elementType.minBytes(), key);
            }
        }
        return new GgufValue.Array(elementType, (int) length, bytes.asSlice(start, position - start));
    }

    private int stringLength(String key) {
        long length = count(1, "length of string `" + key + "`");
        if (length > Integer.MAX_VALUE) {
            throw broken("string `" + key + "` has " + length + " bytes");
        }
        return (int) length;
    }

    private boolean bool(String key) {
        byte value = bytes.get(ValueLayout.JAVA_BYTE, advance(1, key));
        if (value != 0 && value != 1) {
            throw broken("`" + key + "` is a boolean of value " + value + ", 0 or 1 expected");
        }
        return value == 1;
    }

    private byte[] take(int length, String what) {
        return MappedFile.copy(bytes, advance(length, what), length);
    }

    /// Moves over `count` bytes and returns where they start.
    private long advance(long count, String what) {
        if (count > remaining()) {
            throw broken("ends at byte " + bytes.byteSize() + " inside " + what);
        }
        long start = position;
        position += count;
        return start;
    }

    private long remaining() {
        return bytes.byteSize() - position;
    }

    ModelFormatException broken(String problem) {
        return new ModelFormatException(file, problem + " (at byte " + position + ")", null);
    }
}
