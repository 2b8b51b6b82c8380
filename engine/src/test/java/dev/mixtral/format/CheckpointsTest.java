package dev.mixtral.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import dev.mixtral.testing.FusedExperts;
import dev.mixtral.testing.TestModels;
import dev.mixtral.testing.TestModels.TestModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointsTest {
    private static final MixtralConfig CONFIG = TestModels.microConfig();
    private static final TestModel MODEL = TestModels.random(CONFIG, 7);

    @TempDir
    Path folder;

    private Path reference;

    @BeforeEach
    void writeReference() throws IOException {
        reference = Files.createDirectory(folder.resolve("reference")).resolve("model.gguf");
        TestModels.writeGguf(MODEL, reference);
    }

    @Test
    void ggufHoldsWhatWasWritten() {
        try (Checkpoint checkpoint = Checkpoints.open(reference)) {
            assertThat(checkpoint.config()).isEqualTo(CONFIG);
            assertThat(checkpoint.ropeLayout()).isEqualTo(RopeLayout.INTERLEAVED);
            for (String name : SameWeights.names(CONFIG)) {
                assertThat(checkpoint.tensor(name).toFloats()).as(name).isEqualTo(MODEL.values(name));
            }
            assertThat(checkpoint.eosTokenIds()).containsExactly(2);
            assertThat(checkpoint.metadata())
                    .containsEntry("general.architecture", "llama")
                    .containsEntry("llama.rope.freq_base", "1000000.0")
                    .containsEntry("tokenizer.ggml.tokens", "[48 × STRING]");
            assertThat(checkpoint.tensors())
                    .hasSize(3 + 2 * 10)
                    .allMatch(stored -> stored.file().equals(reference));
        }
    }

    @Test
    void ggufVocabularyIsCopied() {
        TokenizerSource.GgufVocabulary vocabulary;
        try (Checkpoint checkpoint = Checkpoints.open(reference)) {
            vocabulary = (TokenizerSource.GgufVocabulary)
                    checkpoint.tokenizerSource().orElseThrow();
        }
        assertThat(vocabulary.tokens().length).isEqualTo(48);
        assertThat(vocabulary.tokens()[47]).asString().isEqualTo("t47");
        assertThat(vocabulary.scores()[3]).isEqualTo(-3);
        assertThat(vocabulary.types()).startsWith(2, 3, 3, 1);
        assertThat(vocabulary.bosTokenId()).isEqualTo(1);
        assertThat(vocabulary.addSpacePrefix()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void huggingFaceFolderIsTheSameModel(DType type) {
        TestModels.writeHuggingFace(MODEL, folder, type);

        assertSameAsReference(folder);
        assertSameAsReference(folder.resolve("model.safetensors"));
    }

    @Test
    void mistralFolderIsTheSameModel() {
        TestModels.writeMistral(MODEL, folder);

        assertSameAsReference(folder);
        assertSameAsReference(folder.resolve("consolidated.safetensors"));
    }

    @Test
    void shardsAreTheSameModel() {
        writeShards();

        assertSameAsReference(folder);
        assertSameAsReference(folder.resolve("model-00002-of-00002.safetensors"));
    }

    @Test
    void oldGgufExpertsAreTheSameModel() {
        Path file = folder.resolve("old.gguf");
        GgufWriter.write(file, TestModels.ggufMetadata(CONFIG), TestModels.ggufEntries(MODEL, false));

        assertSameAsReference(file);
    }

    @Test
    void fusedExpertsOfTransformers5AreTheSameModel() {
        TestModels.writeHuggingFace(MODEL, folder, DType.F32);
        SafetensorsWriter.write(
                folder.resolve("model.safetensors"),
                Map.of(),
                FusedExperts.fuse(MODEL, TestModels.huggingFaceEntries(MODEL, DType.F32)));

        assertSameAsReference(folder);
    }

    @Test
    void denseModelsOpenInEveryLayout() throws IOException {
        MixtralConfig dense = new MixtralConfig(32, 64, 2, 4, 2, 16, 1, 1, 48, 1e-5f, 1e4, 256);
        TestModel model = TestModels.random(dense, 8);
        Path huggingFace = Files.createDirectory(folder.resolve("hf"));
        Path mistral = Files.createDirectory(folder.resolve("mistral"));
        TestModels.writeHuggingFace(model, huggingFace, DType.BF16);
        TestModels.writeMistral(model, mistral);
        TestModels.writeGguf(model, folder.resolve("dense.gguf"));
        try (Checkpoint expected = Checkpoints.open(folder.resolve("dense.gguf"));
                Checkpoint first = Checkpoints.open(huggingFace);
                Checkpoint second = Checkpoints.open(mistral)) {
            assertThat(expected.config()).isEqualTo(dense);
            SameWeights.assertSame(first, expected);
            SameWeights.assertSame(second, expected);
        }
    }

    @Test
    void aMissingGgufOutputIsTheEmbedding() {
        Path file = folder.resolve("tied.gguf");
        List<GgufWriter.Entry> entries = new ArrayList<>(TestModels.ggufEntries(MODEL, true));
        entries.removeIf(entry -> entry.declaration().name().equals("output.weight"));
        GgufWriter.write(file, TestModels.ggufMetadata(CONFIG), entries);

        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            assertThat(checkpoint.tensor("output")).isSameAs(checkpoint.tensor("tok_embeddings"));
        }
    }

    @Test
    void aTiedHuggingFaceModelNeedsNoHead() {
        TestModels.writeHuggingFace(MODEL, folder, DType.F32);
        Map<String, Object> config = TestModels.huggingFaceConfig(CONFIG);
        config.put("tie_word_embeddings", true);
        TestModels.writeJson(folder.resolve("config.json"), config);
        List<SafetensorsWriter.Entry> entries = new ArrayList<>(TestModels.huggingFaceEntries(MODEL, DType.F32));
        entries.removeIf(entry -> entry.name().equals("lm_head.weight"));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), Map.of(), entries);

        try (Checkpoint checkpoint = Checkpoints.open(folder)) {
            assertThat(checkpoint.tensor("output")).isSameAs(checkpoint.tensor("tok_embeddings"));
        }
    }

    @Test
    void huggingFaceIsPreferredToMistral() {
        TestModels.writeMistral(MODEL, folder);
        TestModels.writeHuggingFace(MODEL, folder, DType.F32);

        try (Checkpoint checkpoint = Checkpoints.open(folder)) {
            assertThat(checkpoint.ropeLayout()).isEqualTo(RopeLayout.HALF_SPLIT);
        }
    }

    @Test
    void aFolderWithOneGgufOpensItAndOneWithTwoAsks() throws IOException {
        assertSameAsReference(reference.resolveSibling(""));

        Files.copy(reference, reference.resolveSibling("other.gguf"));
        assertThatThrownBy(() -> Checkpoints.open(reference.resolveSibling("")))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("model.gguf, other.gguf");
    }

    @Test
    void filesAreRecognisedByTheirFirstBytes() throws IOException {
        Path renamed = Files.copy(reference, folder.resolve("weights.bin"));
        assertSameAsReference(renamed);

        Path text = Files.writeString(folder.resolve("broken.gguf"), "no model");
        assertThatThrownBy(() -> Checkpoints.open(text))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("is not what its name says");

        Path old = Files.write(folder.resolve("old.bin"), new byte[] {'t', 'j', 'g', 'g', 3, 0, 0, 0});
        assertThatThrownBy(() -> Checkpoints.open(old))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("GGML");

        Path pointer = Files.writeString(
                folder.resolve("model.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\n");
        assertThatThrownBy(() -> Checkpoints.open(pointer))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("Git LFS pointer");
    }

    @Test
    void whatIsNoModelIsListed() throws IOException {
        assertThatThrownBy(() -> Checkpoints.open(folder.resolve("absent")))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("absent")
                .hasMessageContaining("GGUF");

        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertThatThrownBy(() -> Checkpoints.open(empty))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("which holds: nothing");

        Files.createFile(empty.resolve("pytorch_model.bin"));
        assertThatThrownBy(() -> Checkpoints.open(empty))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("pytorch_model.bin")
                .hasMessageContaining("use safetensors");
    }

    @Test
    void aMissingTensorIsNamed() {
        TestModels.writeHuggingFace(MODEL, folder, DType.F32);
        List<SafetensorsWriter.Entry> entries = new ArrayList<>(TestModels.huggingFaceEntries(MODEL, DType.F32));
        entries.removeIf(entry -> entry.name().contains("layers.1.block_sparse_moe.experts.3.w2"));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), Map.of(), entries);

        assertThatThrownBy(() -> Checkpoints.open(folder))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("model.layers.1.block_sparse_moe.experts.3.w2.weight [32, 64] is missing");
    }

    @Test
    void aWrongShapeIsNamed() {
        TestModels.writeHuggingFace(MODEL, folder, DType.F32);
        Map<String, Object> config = TestModels.huggingFaceConfig(CONFIG);
        config.put("num_key_value_heads", 4);
        TestModels.writeJson(folder.resolve("config.json"), config);

        assertThatThrownBy(() -> Checkpoints.open(folder))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("model.layers.0.self_attn.k_proj.weight")
                .hasMessageContaining("[64, 32] expected")
                .hasMessageContaining("got [32, 32]")
                .hasMessageContaining("model.safetensors");
    }

    @Test
    void aTensorThatNothingUsesIsRefused() {
        TestModels.writeHuggingFace(MODEL, folder, DType.F32);
        List<SafetensorsWriter.Entry> entries = new ArrayList<>(TestModels.huggingFaceEntries(MODEL, DType.F32));
        entries.add(new SafetensorsWriter.Entry(
                "model.layers.0.self_attn.q_proj.bias", DType.F32, new long[] {1}, new float[1]));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), Map.of(), entries);

        assertThatThrownBy(() -> Checkpoints.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("q_proj.bias");
    }

    @Test
    void closingInvalidatesTheTensors() {
        Checkpoint checkpoint = Checkpoints.open(reference);
        Tensor norm = checkpoint.tensor("norm");
        checkpoint.close();
        checkpoint.close();

        assertThatThrownBy(norm::toFloats).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void anUnknownNameIsAProgrammingError() {
        try (Checkpoint checkpoint = Checkpoints.open(reference)) {
            assertThatThrownBy(() -> checkpoint.tensor("layers.2.attention_norm"))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private void writeShards() {
        TestModels.writeHuggingFace(MODEL, folder, DType.F32);
        List<SafetensorsWriter.Entry> entries = TestModels.huggingFaceEntries(MODEL, DType.F32);
        ShardedFiles.write(folder, entries);
    }

    private void assertSameAsReference(Path path) {
        try (Checkpoint expected = Checkpoints.open(reference);
                Checkpoint actual = Checkpoints.open(path)) {
            assertThat(actual.config()).isEqualTo(expected.config());
            SameWeights.assertSame(actual, expected);
        }
    }
}
