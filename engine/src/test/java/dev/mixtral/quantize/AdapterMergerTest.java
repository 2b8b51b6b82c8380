package dev.mixtral.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import dev.mixtral.testing.FullDisk;
import dev.mixtral.testing.FusedExperts;
import dev.mixtral.testing.GuardedFiles;
import dev.mixtral.testing.TestAdapters;
import dev.mixtral.testing.TestModels;
import dev.mixtral.testing.TestModels.TestModel;
import dev.mixtral.testing.TestNames;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Models that adapters are merged into, against a plain computation.
class AdapterMergerTest {
    private static final MixtralConfig CONFIG = TestModels.microConfig();

    @TempDir
    private Path folder;

    private final TestModel model = TestModels.random(CONFIG, 20);

    @BeforeEach
    void writeModels() throws IOException {
        Files.createDirectories(folder.resolve("hf"));
        Files.createDirectories(folder.resolve("mistral"));
        TestModels.writeHuggingFace(model, folder.resolve("hf"), DType.F32);
        TestModels.writeMistral(model, folder.resolve("mistral"));
        TestModels.writeGguf(model, folder.resolve("model.gguf"));
        TestModels.writeText(folder.resolve("hf/tokenizer_config.json"), "{}");
    }

    private static LoraAdapter adapter(boolean dora) {
        LoraConfig lora = new LoraConfig(3, 6, 0, false, dora, List.of(), "");
        return TestAdapters.random(CONFIG, lora, 7, module -> !module.endsWith("v_proj"));
    }

    private static void merge(Path source, LoraAdapter adapter, Path output) {
        try (Checkpoint checkpoint = Checkpoints.open(source)) {
            AdapterMerger.merge(checkpoint, fit(checkpoint, adapter), output, (_, _, _) -> {});
        }
    }

    private static LoraDeltas fit(Checkpoint checkpoint, LoraAdapter adapter) {
        return LoraDeltas.fit(adapter, checkpoint.config(), checkpoint.ropeLayout());
    }

    private static void mergeToGguf(Path source, LoraAdapter adapter, @Nullable Preset preset, Path output) {
        try (Checkpoint checkpoint = Checkpoints.open(source)) {
            QuantizeOptions options =
                    new QuantizeOptions(output, preset, null, 2, false, false, fit(checkpoint, adapter));
            new ModelQuantizer(checkpoint, options, (_, _, _) -> {}).run();
        }
    }

    /// Asserts that a model holds the weights that a plain computation gives.
    private void assertMerged(Path path, LoraAdapter adapter, float tolerance) throws IOException {
        Path expected = Files.createDirectories(folder.resolve("expected"));
        TestModels.writeHuggingFace(model, expected, DType.F32);
        SafetensorsWriter.write(expected.resolve("model.safetensors"), Map.of(), TestAdapters.merged(model, adapter));
        Path asGguf = folder.resolve("expected.gguf");
        if (!Files.exists(asGguf)) {
            try (Checkpoint checkpoint = Checkpoints.open(expected)) {
                new ModelQuantizer(
                                checkpoint,
                                new QuantizeOptions(asGguf, Preset.F32, null, 1, false, false),
                                (_, _, _) -> {})
                        .run();
            }
        }
        try (Checkpoint merged = Checkpoints.open(path);
                Checkpoint halfSplit = Checkpoints.open(expected);
                Checkpoint interleaved = Checkpoints.open(asGguf)) {
            Checkpoint right = merged.ropeLayout() == halfSplit.ropeLayout() ? halfSplit : interleaved;
            for (String name : TestNames.shapes(CONFIG).keySet()) {
                assertThat(merged.tensor(name).toFloats())
                        .describedAs(name)
                        .containsExactly(right.tensor(name).toFloats(), within(tolerance));
            }
        }
    }

    @Test
    void aFullDiskLeavesNothing() throws IOException {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        long needed = Files.size(folder.resolve("hf/model.safetensors"));
        for (long room : new long[] {0, 100, needed / 2, needed}) {
            Path output = GuardedFiles.guard(disk.resolve("merged"), new FullDisk(room));
            assertThatThrownBy(() -> merge(folder.resolve("hf"), adapter(false), output))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageEndingWith(": " + FullDisk.MESSAGE);
            assertThat(disk).isEmptyDirectory();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFolderBecomesAFolder(boolean dora) throws IOException {
        merge(folder.resolve("hf"), adapter(dora), folder.resolve("merged"));
        assertMerged(folder.resolve("merged"), adapter(dora), 1e-6f);
        assertThat(names(folder.resolve("merged"))).isEqualTo(names(folder.resolve("hf")));
        try (Checkpoint base = Checkpoints.open(folder.resolve("hf"));
                Checkpoint merged = Checkpoints.open(folder.resolve("merged"))) {
            for (int i = 0; i < base.tensors().size(); i++) {
                Tensor before = base.tensors().get(i).tensor();
                Tensor after = merged.tensors().get(i).tensor();
                assertThat(after.toString()).isEqualTo(before.toString());
                if (before.name().contains("v_proj") || before.name().contains("norm")) {
                    assertThat(after.data().mismatch(before.data())).isEqualTo(-1);
                }
            }
        }
        assertThat(names(folder).stream().filter(name -> name.endsWith(".part")))
                .isEmpty();
    }

    private static List<String> names(Path path) throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void mistralsLayoutKeepsItsOrderOfRows() throws IOException {
        merge(folder.resolve("mistral"), adapter(false), folder.resolve("merged"));
        assertMerged(folder.resolve("merged"), adapter(false), 0.02f); // BF16
    }

    @Test
    void expertsMayBeFused() throws IOException {
        Path fused = Files.createDirectories(folder.resolve("fused"));
        TestModels.writeHuggingFace(model, fused, DType.F32);
        SafetensorsWriter.write(
                fused.resolve("model.safetensors"),
                Map.of(),
                FusedExperts.fuse(model, TestModels.huggingFaceEntries(model, DType.F32)));
        merge(fused, adapter(false), folder.resolve("merged"));
        assertMerged(folder.resolve("merged"), adapter(false), 1e-6f);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf", "mistral", "model.gguf"})
    void everythingBecomesAGgufFile(String source) throws IOException {
        mergeToGguf(folder.resolve(source), adapter(false), null, folder.resolve("merged.gguf"));
        assertMerged(folder.resolve("merged.gguf"), adapter(false), source.equals("mistral") ? 0.02f : 1e-6f);
        try (Checkpoint merged = Checkpoints.open(folder.resolve("merged.gguf"))) {
            assertThat(merged.tensor("layers.0.attention.wq").type())
                    .isEqualTo(source.equals("mistral") ? DType.BF16 : DType.F32);
        }
        mergeToGguf(folder.resolve(source), adapter(true), Preset.Q8_0, folder.resolve("q8.gguf"));
        try (Checkpoint merged = Checkpoints.open(folder.resolve("q8.gguf"))) {
            assertThat(merged.tensor("layers.0.attention.wq").type()).isEqualTo(DType.Q8_0);
        }
    }

    @Test
    void quantisedMatricesKeepTheirTypes() throws IOException {
        mergeToGguf(
                folder.resolve("model.gguf"),
                TestAdapters.ofNothing(CONFIG, 1),
                Preset.Q4_0,
                folder.resolve("q4.gguf"));
        mergeToGguf(
                folder.resolve("q4.gguf"),
                TestAdapters.ofEverything(CONFIG, 2, 3),
                null,
                folder.resolve("merged.gguf"));
        try (Checkpoint base = Checkpoints.open(folder.resolve("q4.gguf"));
                Checkpoint merged = Checkpoints.open(folder.resolve("merged.gguf"))) {
            for (String name : TestNames.shapes(CONFIG).keySet()) {
                assertThat(merged.tensor(name).type())
                        .isEqualTo(base.tensor(name).type());
            }
            assertThat(merged.metadata()).containsEntry("general.file_type", "2");
            assertThat(merged.tensor("layers.0.attention.wq")
                            .data()
                            .mismatch(base.tensor("layers.0.attention.wq").data()))
                    .isNotNegative();
        }
    }

    @Test
    void whatCannotBeMadeIsRefused() {
        Path merged = folder.resolve("merged");
        assertThatThrownBy(() -> merge(folder.resolve("model.gguf"), adapter(false), merged))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("GGUF");
        merge(folder.resolve("hf"), adapter(false), merged);
        assertThatThrownBy(() -> merge(folder.resolve("hf"), adapter(false), merged))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("exists");
    }
}
