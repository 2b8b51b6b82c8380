package dev.mixtral.tensor;

import java.util.Optional;

/// An element type of a weight tensor, as stored: plain numbers or ggml quantisation blocks.
///
/// Every type stores a row of `n` elements as `n / blockSize` blocks of `blockBytes` bytes, little-endian.
/// Block layouts: ggml's `ggml-common.h`; they are decoded by [Dequantizer], which is their specification here.
public enum DType {
    /// IEEE 754 binary32.
    F32(0, 1, 4),
    /// IEEE 754 binary16.
    F16(1, 1, 2),
    /// 4 bits, one f16 scale for 32 elements.
    Q4_0(2, 32, 18),
    /// 4 bits, f16 scale and minimum for 32 elements.
    Q4_1(3, 32, 20),
    /// 5 bits, one f16 scale for 32 elements.
    Q5_0(6, 32, 22),
    /// 5 bits, f16 scale and minimum for 32 elements.
    Q5_1(7, 32, 24),
    /// 8 bits, one f16 scale for 32 elements.
    Q8_0(8, 32, 34),
    /// 2 bits in super-blocks of 256 with 4-bit scales and minima for 16 elements.
    Q2_K(10, 256, 84),
    /// 3 bits in super-blocks of 256 with 6-bit scales for 16 elements.
    Q3_K(11, 256, 110),
    /// 4 bits in super-blocks of 256 with 6-bit scales and minima for 32 elements.
    Q4_K(12, 256, 144),
    /// 5 bits in super-blocks of 256 with 6-bit scales and minima for 32 elements.
    Q5_K(13, 256, 176),
    /// 6 bits in super-blocks of 256 with 8-bit scales for 16 elements.
    Q6_K(14, 256, 210),
    /// 4 bits that index a non-linear table, one f16 scale for 32 elements.
    IQ4_NL(20, 32, 18),
    /// 4 bits that index a non-linear table, super-blocks of 256 with 6-bit scales for 32 elements.
    IQ4_XS(23, 256, 136),
    /// 3 bits that index a non-linear table, super-blocks of 256 with 8-bit scales for 32 elements: a type of this
    /// program's own, for models that just fit the memory. Other programs do not read it.
    NL3(1003, 256, 106),
    /// The upper half of an IEEE 754 binary32.
    BF16(30, 1, 2);

    private final int ggmlId;
    private final int blockSize;
    private final int blockBytes;

    DType(int ggmlId, int blockSize, int blockBytes) {
        this.ggmlId = ggmlId;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /// Returns the type's number in GGUF files (`enum ggml_type`).
    public int ggmlId() {
        return ggmlId;
    }

    /// Returns how many elements one block holds.
    public int blockSize() {
        return blockSize;
    }

    /// Returns how many bytes one block takes.
    public int blockBytes() {
        return blockBytes;
    }

    /// Returns whether elements are stored one by one rather than in quantisation blocks.
    public boolean isPlain() {
        return blockSize == 1;
    }

    /// Returns the bytes of `numElements` elements, which must be a multiple of the block size.
    ///
    /// @throws IllegalArgumentException if `numElements` is negative or not a multiple of the block size
    /// @throws ArithmeticException if the result does not fit a `long`
    public long byteSize(long numElements) {
        if (numElements < 0 || numElements % blockSize != 0) {
            throw new IllegalArgumentException(
                    name() + " holds multiples of " + blockSize + " elements, not " + numElements);
        }
        return Math.multiplyExact(numElements / blockSize, blockBytes);
    }

    /// Returns the type with this number in GGUF files, or empty if it is none of ours.
    public static Optional<DType> ofGgmlId(int ggmlId) {
        for (DType type : values()) {
            if (type.ggmlId == ggmlId) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
