package dev.mixtral.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.format.gguf.GgufMetadata;
import dev.mixtral.tensor.Tensor;
import dev.mixtral.testing.FullDisk;
import dev.mixtral.testing.GuardedFiles;
import dev.mixtral.testing.Mutations;
import dev.mixtral.testing.TestAdapters;
import dev.mixtral.testing.TestModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Adapters in llama.cpp's format.
class GgufLoraTest {
    private static final MixtralConfig MODEL = TestModels.microConfig();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsWrittenIsReadBack(boolean rsLora) {
        LoraConfig config = new LoraConfig(3, 5, 0, rsLora, false, List.of(), "base model");
        LoraAdapter written = TestAdapters.random(MODEL, config, 4, module -> !module.endsWith("experts.1.w2"));
        Path file = folder.resolve("adapter.gguf");
        GgufLora.write(written, MODEL, file);
        LoraAdapter read = LoraFiles.read(file, MODEL);
        assertThat(read.config().baseModel()).isEqualTo("base model");
        assertThat(read.config().scaling()).isCloseTo(config.scaling(), org.assertj.core.data.Offset.offset(1e-6f));
        assertThat(LoraFiles.isAdapter(file)).isTrue();
        // An expert without an adapter has one of zeros in the stack.
        Map<String, LoraWeights> all = new LinkedHashMap<>(written.modules());
        for (int l = 0; l < 2; l++) {
            all.put(
                    "model.layers." + l + ".block_sparse_moe.experts.1.w2",
                    new LoraWeights(3, 64, 32, new float[3 * 64], new float[32 * 3]));
        }
        SameAdapter.assertSame(read, new LoraAdapter(config, all));
    }

    @Test
    void modulesOfAnotherRankKeepTheirEffect() {
        LoraAdapter three = TestAdapters.random(
                MODEL,
                new LoraConfig(3, 5, 0, false, false, List.of(), ""),
                4,
                module -> module.endsWith("k_proj") || module.endsWith("w1"));
        LoraAdapter five = TestAdapters.random(
                MODEL, new LoraConfig(5, 5, 0, false, false, List.of(), ""), 4, module -> module.endsWith("s.0.w1"));
        Map<String, LoraWeights> modules = new LinkedHashMap<>(three.modules());
        modules.putAll(five.modules());
        LoraAdapter mixed = new LoraAdapter(three.config(), modules);
        GgufLora.write(mixed, MODEL, folder.resolve("mixed.gguf"));
        SameAdapter.assertSame(GgufLora.read(folder.resolve("mixed.gguf"), MODEL), mixed);
    }

    @Test
    void namesShapesAndKeysAreThoseOfLlamaCpp() {
        GgufLora.write(TestAdapters.ofEverything(MODEL, 2, 1), MODEL, folder.resolve("a.gguf"));
        try (Arena arena = Arena.ofConfined()) {
            GgufFile file = GgufFile.open(folder.resolve("a.gguf"), arena);
            GgufMetadata metadata = file.metadata();
            assertThat(metadata.string("general.type")).contains("adapter");
            assertThat(metadata.string("general.architecture")).contains("llama");
            assertThat(metadata.string("adapter.type")).contains("lora");
            assertThat(metadata.number("adapter.lora.alpha")).hasValue(4);
            Map<String, String> shapes = new LinkedHashMap<>();
            for (Tensor tensor : file.tensors()) {
                shapes.put(tensor.name(), Arrays.toString(tensor.shape()));
            }
            assertThat(shapes)
                    .hasSize(2 * (2 * 8 + 1))
                    .containsEntry("blk.0.attn_q.weight.lora_a", "[2, 32]")
                    .containsEntry("blk.0.attn_q.weight.lora_b", "[64, 2]")
                    .containsEntry("blk.1.ffn_gate_inp.weight.lora_b", "[4, 2]")
                    .containsEntry("blk.1.ffn_down_exps.weight.lora_a", "[4, 2, 64]")
                    .containsEntry("blk.1.ffn_down_exps.weight.lora_b", "[4, 32, 2]")
                    .containsEntry("output.weight.lora_b", "[48, 2]");
        }
    }

    @Test
    void rowsOfQueriesLieAsInTheModel() {
        LoraConfig config = new LoraConfig(1, 1, 0, false, false, List.of(), "");
        float[] b = new float[64];
        for (int row = 0; row < b.length; row++) {
            b[row] = row;
        }
        LoraWeights weights = new LoraWeights(1, 32, 64, new float[32], b);
        LoraAdapter adapter = new LoraAdapter(config, Map.of("model.layers.0.self_attn.q_proj", weights));
        GgufLora.write(adapter, MODEL, folder.resolve("rows.gguf"));
        try (Arena arena = Arena.ofConfined()) {
            Tensor stored =
                    GgufFile.open(folder.resolve("rows.gguf"), arena).tensors().getLast();
            // Heads of 16: the partners of a rotation lie side by side.
            assertThat(Arrays.copyOf(stored.toFloats(), 20))
                    .containsExactly(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15, 16, 24, 17, 25);
        }
        assertThat(SameAdapter.module(
                                GgufLora.read(folder.resolve("rows.gguf"), MODEL), "model.layers.0.self_attn.q_proj")
                        .b())
                .containsExactly(b);
    }

    @Test
    void aFullDiskLeavesWhatWasThere() throws IOException {
        Path file = Files.createDirectory(folder.resolve("disk")).resolve("a.gguf");
        GgufLora.write(TestAdapters.ofEverything(MODEL, 2, 1), MODEL, file);
        byte[] before = Files.readAllBytes(file);
        for (long room : new long[] {0, 10, before.length / 2}) {
            Path full = GuardedFiles.guard(file, new FullDisk(room));
            assertThatThrownBy(() -> GgufLora.write(TestAdapters.ofEverything(MODEL, 2, 2), MODEL, full))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageEndingWith(": " + FullDisk.MESSAGE);
            assertThat(file).hasBinaryContent(before);
            assertThat(file.resolveSibling("")).isDirectoryNotContaining("glob:**.part");
        }
    }

    @Test
    void magnitudesAreRefused() {
        LoraConfig config = new LoraConfig(2, 2, 0, false, true, List.of(), "");
        LoraAdapter dora = TestAdapters.random(MODEL, config, 1, module -> module.endsWith("q_proj"));
        assertThatThrownBy(() -> GgufLora.write(dora, MODEL, folder.resolve("dora.gguf")))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("DoRA");
        assertThat(folder.resolve("dora.gguf")).doesNotExist();
    }

    @Test
    void anAdapterOfAnotherModelIsRefusedByName() {
        GgufLora.write(TestAdapters.ofEverything(MODEL, 2, 1), MODEL, folder.resolve("a.gguf"));
        MixtralConfig shallow = new MixtralConfig(32, 64, 1, 4, 2, 16, 4, 2, 48, 1e-5f, 1e6, 256);
        assertThatThrownBy(() -> GgufLora.read(folder.resolve("a.gguf"), shallow))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("blk.1.attn_q.weight.lora_a");
        MixtralConfig wide = new MixtralConfig(64, 64, 2, 4, 2, 16, 4, 2, 48, 1e-5f, 1e6, 256);
        assertThatThrownBy(() -> GgufLora.read(folder.resolve("a.gguf"), wide))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("blk.0.attn_q.weight")
                .hasMessageContaining("[2, 32]");
    }

    @Test
    void aModelIsNoAdapter() {
        Path model = folder.resolve("model.gguf");
        TestModels.writeGguf(TestModels.random(MODEL, 1), model);
        assertThat(LoraFiles.isAdapter(model)).isFalse();
        assertThatThrownBy(() -> LoraFiles.read(model, MODEL))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("general.type");
    }

    @Test
    void brokenFilesFailCleanly() throws IOException {
        Path file = folder.resolve("a.gguf");
        LoraConfig config = new LoraConfig(1, 1, 0, false, false, List.of(), "base");
        LoraAdapter small = TestAdapters.random(
                MODEL,
                config,
                1,
                module -> module.contains("0.self_attn.k") || module.contains("0.block_sparse_moe.g"));
        GgufLora.write(small, MODEL, file);
        byte[] original = Files.readAllBytes(file);
        Mutations.truncateEverywhere(original, bytes -> read(file, bytes));
        int readable = Mutations.mutate(original, 700, 3_000, bytes -> read(file, bytes));
        assertThat(readable).isLessThan(3_000);
        Files.write(file, original);
        SameAdapter.assertSame(GgufLora.read(file, MODEL), small);
    }

    private static void read(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes);
        LoraDeltas.check(LoraFiles.read(file, MODEL), MODEL);
    }
}
