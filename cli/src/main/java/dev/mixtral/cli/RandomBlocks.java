package dev.mixtral.cli;

import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;

/// Random weights of any type, made in their stored form: mean 0, and a spread as in a trained model.
///
/// Quantised blocks get random bits everywhere but in their scales, which are chosen by decoding: with scale 1 the
/// bits have some mean and spread, which gives the scale that leads to the wanted ones. A pool of blocks is repeated
/// over a tensor, as speed does not depend on the values.
final class RandomBlocks {
    private static final ValueLayout.OfShort LE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final double SPREAD = 0.02;
    private static final int POOL_ELEMENTS = 1 << 16;

    private RandomBlocks() {}

    /// Where a block keeps its scales.
    ///
    /// @param scale offset of the f16 scale in the block
    /// @param min offset of the f16 minimum or offset, or -1
    private record ScaleOffsets(int scale, int min) {
        static ScaleOffsets of(DType type) {
            return switch (type) {
                case Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS, NL3 -> new ScaleOffsets(0, -1);
                case Q4_1, Q5_1, Q4_K, Q5_K -> new ScaleOffsets(0, 2);
                case Q2_K -> new ScaleOffsets(80, 82);
                case Q3_K -> new ScaleOffsets(108, -1);
                case Q6_K -> new ScaleOffsets(208, -1);
                case F32, F16, BF16 -> throw new IllegalArgumentException(type + " has no scales");
            };
        }
    }

    /// Overwrites a tensor's memory with random weights.
    ///
    /// @param data whole blocks of `type`
    static void fill(DType type, MemorySegment data, RandomGenerator random) {
        MemorySegment pool = type.isPlain() ? plainPool(type, random) : blockPool(type, random);
        for (long at = 0; at < data.byteSize(); at += pool.byteSize()) {
            long bytes = Math.min(pool.byteSize(), data.byteSize() - at);
            MemorySegment.copy(pool, 0, data, at, bytes);
        }
    }

    private static MemorySegment plainPool(DType type, RandomGenerator random) {
        MemorySegment pool = MemorySegment.ofArray(new byte[POOL_ELEMENTS * type.blockBytes()]);
        for (int i = 0; i < POOL_ELEMENTS; i++) {
            float value = (float) (random.nextGaussian() * SPREAD);
            switch (type) {
                case F32 -> pool.set(LE_INT, 4L * i, Float.floatToRawIntBits(value));
                case F16 -> pool.set(LE_SHORT, 2L * i, Float.floatToFloat16(value));
                default -> pool.set(LE_SHORT, 2L * i, (short) (Float.floatToRawIntBits(value) >>> 16));
            }
        }
        return pool;
    }

    private static MemorySegment blockPool(DType type, RandomGenerator random) {
        byte[] bytes = new byte[POOL_ELEMENTS / type.blockSize() * type.blockBytes()];
        random.nextBytes(bytes);
        MemorySegment pool = MemorySegment.ofArray(bytes);
        ScaleOffsets offsets = ScaleOffsets.of(type);
        setScales(type, pool, offsets, 1, 0);
        float[] scaled = decode(type, pool);
        double meanScaled = mean(scaled);
        // Moving the mean to 0 with the minimum leaves the spread about as it is, within a factor of two.
        double scale = SPREAD / spread(scaled, offsets.min() < 0 ? 0 : meanScaled);
        double min = 0;
        if (offsets.min() >= 0) {
            setScales(type, pool, offsets, 0, 1);
            min = -scale * meanScaled / mean(decode(type, pool));
        }
        setScales(type, pool, offsets, scale, min);
        return pool;
    }

    private static void setScales(DType type, MemorySegment pool, ScaleOffsets offsets, double scale, double min) {
        for (long block = 0; block < pool.byteSize(); block += type.blockBytes()) {
            pool.set(LE_SHORT, block + offsets.scale(), Float.floatToFloat16((float) scale));
            if (offsets.min() >= 0) {
                pool.set(LE_SHORT, block + offsets.min(), Float.floatToFloat16((float) min));
            }
        }
    }

    private static float[] decode(DType type, MemorySegment pool) {
        float[] values = new float[POOL_ELEMENTS];
        Dequantizer.dequantize(type, pool, 0, values, 0, POOL_ELEMENTS);
        return values;
    }

    private static double mean(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    private static double spread(float[] values, double mean) {
        double sum = 0;
        for (float value : values) {
            sum += (value - mean) * (value - mean);
        }
        return Math.sqrt(sum / values.length);
    }
}
