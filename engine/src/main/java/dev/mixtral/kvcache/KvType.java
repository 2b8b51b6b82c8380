package dev.mixtral.kvcache;

/// How keys and values are stored.
public enum KvType {
    /// Exact: 4 bytes a value.
    F32(0),
    /// Half the memory: 2 bytes a value, rounded to 11 significant bits.
    F16(1),
    /// About a quarter of the memory: 8-bit codes, and a binary16 scale for every [#RUN] elements of a row (the last
    /// run of a row may be shorter). As in GGUF's type of that name, `scale = max |x| / 127`.
    Q8_0(2);

    /// Elements of a row that share a scale in [#Q8_0].
    public static final int RUN = 32;

    private final int number;

    KvType(int number) {
        this.number = number;
    }

    /// Returns the number by which native code knows the type.
    public int number() {
        return number;
    }

    /// Returns the bytes that one key or value of `headDim` elements takes.
    public int rowBytes(int headDim) {
        return switch (this) {
            case F32 -> Float.BYTES * headDim;
            case F16 -> Short.BYTES * headDim;
            case Q8_0 -> headDim + Short.BYTES * numRuns(headDim);
        };
    }

    /// Returns the scales of a row of `headDim` elements: 0 for types without scales.
    public int numScales(int headDim) {
        return this == Q8_0 ? numRuns(headDim) : 0;
    }

    /// Returns the bytes of one element, scales apart.
    public int elementBytes() {
        return switch (this) {
            case F32 -> Float.BYTES;
            case F16 -> Short.BYTES;
            case Q8_0 -> Byte.BYTES;
        };
    }

    private static int numRuns(int headDim) {
        return (headDim + RUN - 1) / RUN;
    }
}
