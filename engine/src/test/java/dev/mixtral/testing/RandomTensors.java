package dev.mixtral.testing;

import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.Packer;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/// Random weights and activations for kernel tests.
public final class RandomTensors {
    /// Where the f16 scales lie in a block: random bits there would be infinite or NaN now and then.
    private static int[] scaleOffsets(DType type) {
        return switch (type) {
            case F32, BF16, F16 -> new int[0];
            case Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS, NL3 -> new int[] {0};
            case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
            case Q2_K -> new int[] {80, 82};
            case Q3_K -> new int[] {108};
            case Q6_K -> new int[] {208};
        };
    }

    private RandomTensors() {}

    /// Returns a weight matrix of random bits with scales between 2^-9 and 2^-5, at an odd address.
    public static Tensor weights(Arena arena, DType type, int rows, int cols, Random random) {
        long bytes = type.byteSize((long) rows * cols);
        MemorySegment data = arena.allocate(bytes + 1, 64).asSlice(1, bytes);
        if (type.isPlain()) {
            fillPlain(type, data, random);
        } else {
            byte[] bits = new byte[(int) bytes];
            random.nextBytes(bits);
            MemorySegment.copy(bits, 0, data, ValueLayout.JAVA_BYTE, 0, bits.length);
            for (long block = 0; block < bytes; block += type.blockBytes()) {
                for (int offset : scaleOffsets(type)) {
                    float scale = (random.nextBoolean() ? 1 : -1) * (0x1p-9f + random.nextFloat() * 0x1p-5f);
                    data.set(ValueLayout.JAVA_SHORT_UNALIGNED, block + offset, Float.floatToFloat16(scale));
                }
            }
        }
        return new Tensor("random", type, new long[] {rows, cols}, data);
    }

    /// Returns a packed matrix of such weights, on the boundary of a cache line.
    public static PackedMatrix packed(Arena arena, PackedType type, int rows, int cols, Random random) {
        Tensor tensor = weights(arena, type.source(), rows, cols, random);
        MemorySegment data = arena.allocate(PackedMatrix.byteSize(type, rows, cols), 64);
        Packer packer = new Packer(type);
        for (int panel = 0; panel < PackedMatrix.numPanels(rows); panel++) {
            packer.pack(tensor, panel, data, panel * type.panelBytes(cols));
        }
        return new PackedMatrix("random", type, rows, cols, data);
    }

    private static void fillPlain(DType type, MemorySegment data, Random random) {
        for (long at = 0; at < data.byteSize(); at += type.blockBytes()) {
            float value = (float) random.nextGaussian() / 16;
            switch (type) {
                case F32 -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, value);
                case F16 -> data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(value));
                default -> data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) (Float.floatToIntBits(value) >>> 16));
            }
        }
    }

    /// Returns activations with a normal distribution.
    public static FloatMatrix activations(int rows, int cols, Random random) {
        FloatMatrix matrix = new FloatMatrix(rows, cols);
        for (int i = 0; i < matrix.data().length; i++) {
            matrix.data()[i] = (float) random.nextGaussian();
        }
        return matrix;
    }
}
