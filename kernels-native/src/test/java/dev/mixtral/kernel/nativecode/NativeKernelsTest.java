package dev.mixtral.kernel.nativecode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.mixtral.error.KernelUnavailableException;
import dev.mixtral.kernel.KernelProvider;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.scalar.ScalarKernels;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.testing.AttentionChecks;
import dev.mixtral.testing.PackedKernelChecks;
import dev.mixtral.testing.Seeds;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every C kernel against the scalar one, for each instruction set that this machine has.
class NativeKernelsTest {
    private static final KernelProvider PROVIDER = new NativeKernelProvider();

    @BeforeEach
    void needsTheLibrary() {
        String problem = PROVIDER.unavailable().orElse("");
        assumeTrue(problem.isEmpty(), "native kernels are not tested here: " + problem);
    }

    private static Stream<String> variants() {
        return PROVIDER.variants().stream().filter(NativeKernelsTest::isUsable);
    }

    private static boolean isUsable(String variant) {
        try {
            PROVIDER.kernels(variant, new ScalarKernels());
            return true;
        } catch (KernelUnavailableException e) {
            return false;
        }
    }

    private static List<Kernels> candidates() {
        return variants()
                .map(variant -> PROVIDER.kernels(variant, new ScalarKernels()))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    void packedProductsAgreeBitForBit(PackedType type) {
        for (Kernels kernels : candidates()) {
            PackedKernelChecks checks = new PackedKernelChecks(kernels);
            Random random = Seeds.random(kernels.name() + " " + type);
            checks.matmul(type, random);
            checks.extremes(type, random);
            checks.specialScales(type, random);
            checks.batchInvariance(type, random);
            checks.gateUp(type, random);
        }
    }

    @Test
    void quantizeAgreesBitForBit() {
        for (Kernels kernels : candidates()) {
            new PackedKernelChecks(kernels).quantize(Seeds.random(kernels.name() + " quantize"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void attentionAgreesBitForBit(KvType type) {
        Random random = Seeds.random("native attention " + type);
        for (Kernels kernels : candidates()) {
            AttentionChecks checks = new AttentionChecks(kernels);
            for (int headDim : new int[] {7, 16, 32, 64, 80, 128, 272}) {
                int numHeads = 1 + random.nextInt(8);
                int[] lengths = {1, 2, 15, 16, 17, 64, 65, 100, 520, 1_030};
                checks.attention(type, headDim, numHeads, lengths, random);
            }
        }
    }

    @Test
    void memoryForWeightsIsAlignedZeroedAndReturned() {
        for (Kernels kernels : candidates()) {
            try (Arena arena = Arena.ofShared()) {
                for (long bytes : new long[] {1, 4096, (2 << 20) - 1, 2 << 20, (5 << 20) + 17}) {
                    MemorySegment memory = kernels.allocateWeights(bytes, arena);
                    assertThat(memory.byteSize()).isEqualTo(bytes);
                    assertThat(memory.address() % Kernels.WEIGHTS_ALIGNMENT).isZero();
                    assertThat(memory.get(ValueLayout.JAVA_BYTE, bytes - 1)).isZero();
                    memory.fill((byte) 7);
                }
            }
        }
    }

    @Test
    void anInstructionSetThatIsMissingIsRefusedByName() {
        for (String variant : PROVIDER.variants()) {
            if (!isUsable(variant)) {
                assertThatThrownBy(() -> KernelSelector.select("native:" + variant))
                        .isInstanceOf(KernelUnavailableException.class)
                        .hasMessageContaining(variant);
            }
        }
        assertThatThrownBy(() -> KernelSelector.select("native:abacus"))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageContaining("avx2");
    }

    /// Few machines have AMX, so its tiles run on an emulation of the instructions, wherever there is AVX-512.
    @Test
    void amxTilesAgreeOnAnEmulation(@TempDir Path folder) throws IOException, InterruptedException {
        assumeTrue(isUsable("avx512"), "the emulation of AMX needs AVX-512: not tested here");
        Path program = folder.resolve("amx");
        List<String> compile = new ArrayList<>(List.of("cc", "-O1", "-std=gnu11", "-ffp-contract=off"));
        compile.addAll(List.of("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni", "-mfma"));
        compile.addAll(List.of("-mf16c", "src/test/c/amx_emulated.c", "-o", program.toString()));
        assertThat(run(folder, compile)).describedAs("compiler").isEmpty();
        assertThat(run(folder, List.of(program.toString()))).contains("agree");
    }

    /// Returns what a command prints; it must end well.
    private static String run(Path folder, List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(folder, "output", ".txt");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        int status = process.waitFor();
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(status).describedAs("%s: %s", command, text).isZero();
        return text;
    }
}
