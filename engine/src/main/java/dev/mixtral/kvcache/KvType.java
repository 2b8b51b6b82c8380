package dev.mixtral.kvcache;

/// How keys and values are stored.
public enum KvType {
    /// Exact: 4 bytes a value.
    F32(4),
    /// Half the memory: 2 bytes a value, rounded to 11 significant bits.
    F16(2);

    private final int bytes;

    KvType(int bytes) {
        this.bytes = bytes;
    }

    /// Returns the bytes of one value.
    public int bytes() {
        return bytes;
    }
}
