package dev.mixtral.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.testing.RandomTensors;
import dev.mixtral.testing.Seeds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PackerTest {
    @ParameterizedTest
    @EnumSource
    void packedWeightsDecodeToTheSameBits(PackedType type) {
        Random random = Seeds.random("pack " + type);
        for (int rows : new int[] {1, 15, 16, 17, 40}) {
            for (int blocks : new int[] {1, 2, 3, 9}) {
                try (Arena arena = Arena.ofConfined()) {
                    int cols = blocks * type.source().blockSize();
                    Tensor tensor = RandomTensors.weights(arena, type.source(), rows, cols, random);
                    checkDecoded(tensor, pack(tensor, type));
                }
            }
        }
    }

    private static PackedMatrix pack(Tensor tensor, PackedType type) {
        long bytes = PackedMatrix.byteSize(type, tensor.rows(), tensor.cols());
        // Old contents must not shine through.
        MemorySegment data =
                MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]).fill((byte) 0xa5);
        Packer packer = new Packer(type);
        for (int panel = 0; panel < PackedMatrix.numPanels(tensor.rows()); panel++) {
            packer.pack(tensor, panel, data, panel * type.panelBytes(tensor.cols()));
        }
        return new PackedMatrix("w", type, tensor.rows(), tensor.cols(), data);
    }

    private static void checkDecoded(Tensor tensor, PackedMatrix packed) {
        float[] expected = tensor.toFloats();
        PackedDecoder decoder = new PackedDecoder(packed);
        float[] row = new float[tensor.cols()];
        for (int r = 0; r < tensor.rows(); r++) {
            decoder.row(r, row);
            float[] stored = Arrays.copyOfRange(expected, r * tensor.cols(), (r + 1) * tensor.cols());
            assertThat(bits(row)).describedAs("row %d of %s", r, tensor).containsExactly(bits(stored));
        }
        for (int r = tensor.rows(); r < PackedMatrix.numPanels(tensor.rows()) * PackedType.ROWS; r++) {
            decoder.row(r, row);
            assertThat(sumOfMagnitudes(row)).describedAs("padding row %d", r).isZero();
        }
    }

    private static double sumOfMagnitudes(float[] row) {
        double sum = 0;
        for (float value : row) {
            sum += Math.abs(value);
        }
        return sum;
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            // Which NaN a broken scale gives is the processor's choice.
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }
}
