package dev.mixtral.quantize;

import dev.mixtral.tensor.BFloat16;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Encodes rows of floats in any stored type; [dev.mixtral.tensor.Dequantizer] is the inverse.
///
/// Blocks are those of ggml's `ggml_quantize_chunk`, bit for bit, but for NL3, which ggml does not have. Holds working
/// memory: confined to one thread.
public final class BlockQuantizer {
    private final SimpleEncoder simple = new SimpleEncoder();
    private final SuperBlockEncoder superBlocks = new SuperBlockEncoder();
    private final NonLinearEncoder nonLinear = new NonLinearEncoder();
    private final byte[] block = new byte[DType.Q6_K.blockBytes()];

    /// Creates a quantizer.
    public BlockQuantizer() {}

    /// Encodes one row of a matrix.
    ///
    /// All values must be finite. Values so large that their scale, or for F16 they themselves, exceed half
    /// precision decode to infinities: the caller must check where that can happen.
    ///
    /// @param values holds the row; not modified
    /// @param from index of its first element
    /// @param n columns, a multiple of the type's block size
    /// @param importance `[n]`, 0 or more, how much the squared error of each column counts; `null` if all count
    ///     alike. Q8_0 and the plain types need none
    /// @param out receives `type.byteSize(n)` bytes from `offset` on
    public void quantize(
            DType type,
            float[] values,
            int from,
            int n,
            float @Nullable [] importance,
            MemorySegment out,
            long offset) {
        MemorySegment target = out.asSlice(offset, type.byteSize(n));
        switch (type) {
            case F32 -> {
                for (int i = 0; i < n; i++) {
                    target.set(LittleEndian.INT, 4L * i, Float.floatToRawIntBits(values[from + i]));
                }
            }
            case F16 -> {
                for (int i = 0; i < n; i++) {
                    target.set(LittleEndian.SHORT, 2L * i, Float.floatToFloat16(values[from + i]));
                }
            }
            case BF16 -> {
                for (int i = 0; i < n; i++) {
                    target.set(LittleEndian.SHORT, 2L * i, BFloat16.fromFloat(values[from + i]));
                }
            }
            default -> blocks(type, Row.of(values, from, n, importance), n, target);
        }
    }

    private void blocks(DType type, Row row, int n, MemorySegment target) {
        BlockEncoder encoder = encoder(type);
        for (int b = 0; b < n / type.blockSize(); b++) {
            Arrays.fill(block, (byte) 0);
            encoder.encode(row, b * type.blockSize(), block);
            long at = (long) b * type.blockBytes();
            MemorySegment.copy(block, 0, target, ValueLayout.JAVA_BYTE, at, type.blockBytes());
        }
    }

    private BlockEncoder encoder(DType type) {
        return switch (type) {
            case Q4_0 -> simple::q4_0;
            case Q4_1 -> simple::q4_1;
            case Q5_0 -> simple::q5_0;
            case Q5_1 -> simple::q5_1;
            case Q8_0 -> simple::q8_0;
            case Q2_K -> superBlocks::q2;
            case Q3_K -> superBlocks::q3;
            case Q4_K -> superBlocks::q4;
            case Q5_K -> superBlocks::q5;
            case Q6_K -> superBlocks::q6;
            case IQ4_NL -> nonLinear::iq4Nl;
            case IQ4_XS -> nonLinear::iq4Xs;
            case NL3 -> nonLinear::nl3;
            case F32, F16, BF16 -> throw new AssertionError(type + " has no blocks");
        };
    }

    /// Encodes the elements of a row from column `col` on into `block`, which is all zeros.
    @FunctionalInterface
    private interface BlockEncoder {
        void encode(Row row, int col, byte[] block);
    }
}
