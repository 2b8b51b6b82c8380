package dev.mixtral.kernel.nativecode;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.kernel.FloatMath;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kernel.scalar.ScalarKernels;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;

public class NativeKernelsTest {
    public static void main(String[] args) {
        Random random = new Random(5);
        Kernels scalar = new ScalarKernels();
        for (InstructionSet set : new InstructionSet[] {InstructionSet.AVX2, InstructionSet.AVX512}) {
            Kernels fast = new NativeKernels(set, scalar);
            for (PackedType type : PackedType.values()) {
                for (int rows : new int[] {1, 16, 17, 64, 200}) {
                    for (int tokens : new int[] {1, 2, 3, 7, 16, 33}) {
                        int cols = 256 * (1 + random.nextInt(4));
                        check(scalar, fast, type, rows, cols, tokens, random);
                    }
                }
                System.out.println(set + " " + type + " ok");
            }
        }
    }

    static void check(Kernels scalar, Kernels fast, PackedType type, int rows, int cols, int tokens, Random random) {
        try (Arena arena = Arena.ofConfined()) {
            int padded = (rows + 31) / 32 * 32;
            PackedMatrix w = matrix(arena, type, rows, cols, random);
            FloatMatrix x = new FloatMatrix(tokens + 1, cols);
            for (int i = 0; i < x.data().length; i++) x.data()[i] = (float) random.nextGaussian();
            QuantizedRows a = new QuantizedRows(tokens + 1, cols), b = new QuantizedRows(tokens + 1, cols);
            for (int t = 0; t <= tokens; t++) {
                scalar.quantize(x, t, a);
                fast.quantize(x, t, b);
            }
            assertThat(b.codes()).containsExactly(a.codes());
            assertThat(b.scales()).containsExactly(a.scales());
            FloatMatrix e = new FloatMatrix(tokens + 2, rows), f = new FloatMatrix(tokens + 2, rows);
            scalar.matmul(w, 0, rows, a, 1, tokens, e, new Scratch());
            fast.matmul(w, 0, rows, a, 1, tokens, f, new Scratch());
            assertThat(f.data()).describedAs(type + " " + rows + " " + cols + " " + tokens).containsExactly(e.data());
            PackedMatrix gu = matrix(arena, type, 2 * padded, cols, random);
            QuantizedRows h = new QuantizedRows(tokens + 1, padded), g = new QuantizedRows(tokens + 1, padded);
            scalar.gateUp(gu, 0, padded, a, 1, tokens, h, new Scratch());
            fast.gateUp(gu, 0, padded, a, 1, tokens, g, new Scratch());
            assertThat(g.codes()).containsExactly(h.codes());
            assertThat(g.scales()).containsExactly(h.scales());
        }
    }

    static PackedMatrix matrix(Arena arena, PackedType type, int rows, int cols, Random random) {
        long n = PackedMatrix.byteSize(type, rows, cols);
        byte[] bits = new byte[(int) n];
        random.nextBytes(bits);
        MemorySegment data = arena.allocate(n, 64);
        MemorySegment.copy(MemorySegment.ofArray(bits), 0, data, 0, n);
        int sub = type.subBlockBytes();
        // halves: clear the exponent's top bits
        long step = type.superBlockBytes();
        for (long at = 0; at < n; at += step) {
            int halves = (type.hasSuperScales() ? type.superHeaderBytes() : type.scaleBytes());
            for (int i = 1; i < halves; i += 2) {
                byte v = data.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at + i);
                data.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at + i, (byte) (v & 0xbf | 0x20));
            }
        }
        return new PackedMatrix("w", type, rows, cols, data);
    }
}
