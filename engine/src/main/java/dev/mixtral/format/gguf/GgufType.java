package dev.mixtral.format.gguf;

import java.util.Optional;

/// The type of a metadata value.
public enum GgufType {
    /// Unsigned 8 bits.
    UINT8(0, 1, Kind.INTEGER),
    /// Signed 8 bits.
    INT8(1, 1, Kind.INTEGER),
    /// Unsigned 16 bits.
    UINT16(2, 2, Kind.INTEGER),
    /// Signed 16 bits.
    INT16(3, 2, Kind.INTEGER),
    /// Unsigned 32 bits.
    UINT32(4, 4, Kind.INTEGER),
    /// Signed 32 bits.
    INT32(5, 4, Kind.INTEGER),
    /// IEEE 754 binary32.
    FLOAT32(6, 4, Kind.REAL),
    /// One byte, 0 or 1.
    BOOL(7, 1, Kind.BOOL),
    /// `u64` length and that many bytes.
    STRING(8, 8, Kind.STRING),
    /// `u32` element type, `u64` count, elements.
    ARRAY(9, 12, Kind.ARRAY),
    /// Unsigned 64 bits.
    UINT64(10, 8, Kind.INTEGER),
    /// Signed 64 bits.
    INT64(11, 8, Kind.INTEGER),
    /// IEEE 754 binary64.
    FLOAT64(12, 8, Kind.REAL);

    /// What a value is to its reader, whatever its width.
    enum Kind {
        INTEGER,
        REAL,
        BOOL,
        STRING,
        ARRAY
    }

    private final int id;
    private final int minBytes;
    private final Kind kind;

    GgufType(int id, int minBytes, Kind kind) {
        this.id = id;
        this.minBytes = minBytes;
        this.kind = kind;
    }

    /// Returns the number of the type in files.
    int id() {
        return id;
    }

    /// Returns the bytes of a value, or the least bytes of one that varies in length.
    int minBytes() {
        return minBytes;
    }

    Kind kind() {
        return kind;
    }

    static Optional<GgufType> ofId(int id) {
        for (GgufType type : values()) {
            if (type.id == id) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
