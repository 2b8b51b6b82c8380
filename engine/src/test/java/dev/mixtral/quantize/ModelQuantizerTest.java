package dev.mixtral.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.tensor.DType;
import dev.mixtral.testing.FullDisk;
import dev.mixtral.testing.GuardedFiles;
import dev.mixtral.testing.TestModels;
import dev.mixtral.testing.TestModels.TestModel;
import dev.mixtral.testing.TestNames;
import dev.mixtral.tokenizer.Piece;
import dev.mixtral.tokenizer.PieceType;
import dev.mixtral.tokenizer.SentencePieceModel;
import dev.mixtral.tokenizer.Tokenizers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whole models: what is in the file, and what happens when things go wrong.
class ModelQuantizerTest {
    private static final MixtralConfig CONFIG = new MixtralConfig(256, 256, 1, 4, 2, 64, 8, 2, 300, 1e-5f, 1e6, 256);

    @TempDir
    private static Path sources;

    private static TestModel model = new TestModel(CONFIG, Map.of());

    private static Path huggingFace = Path.of("");

    private static Path gguf = Path.of("");

    @TempDir
    private Path folder = Path.of("");

    @BeforeAll
    static void makeSources() throws IOException {
        model = TestModels.random(CONFIG, 11);
        huggingFace = Files.createDirectory(sources.resolve("hf"));
        TestModels.writeHuggingFace(model, huggingFace, DType.BF16);
        gguf = sources.resolve("model.gguf");
        TestModels.writeGguf(model, gguf);
    }

    private Path output() {
        return folder.resolve("out.gguf");
    }

    private static List<QuantizedTensor> run(Path source, QuantizeOptions options) {
        try (Checkpoint checkpoint = Checkpoints.open(source)) {
            return new ModelQuantizer(checkpoint, options, (tensor, done, total) -> {}).run();
        }
    }

    private List<QuantizedTensor> run(Path source, Preset preset) {
        return run(source, new QuantizeOptions(output(), preset, null, 2, false, false));
    }

    private List<Path> leftovers() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> !file.equals(output())).toList();
        }
    }

    @Test
    void f32FromHuggingFaceHoldsTheSameWeightsInGgufsOrder() throws IOException {
        List<QuantizedTensor> tensors = run(huggingFace, Preset.F32);

        assertThat(tensors).allMatch(tensor -> tensor.relativeError() == 0);
        try (Checkpoint made = Checkpoints.open(output())) {
            assertThat(made.config()).isEqualTo(CONFIG);
            for (String name : TestNames.shapes(CONFIG).keySet()) {
                assertThat(made.tensor(name).toFloats()).as(name).isEqualTo(model.values(name));
            }
        }
        assertThat(leftovers()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Preset.class)
    void everyPresetGivesAModelNearTheSource(Preset preset) {
        List<QuantizedTensor> tensors = run(huggingFace, preset);

        assertThat(tensors).noneMatch(QuantizedTensor::isFallback);
        assertThat(tensors).allMatch(tensor -> tensor.relativeError() < 0.35);
        try (Checkpoint made = Checkpoints.open(output())) {
            assertThat(made.tensor("layers.0.feed_forward.gate").type()).isEqualTo(DType.F32);
            assertThat(made.tensor("layers.0.feed_forward.experts.7.w1").type()).isEqualTo(preset.base());
            assertThat(made.metadata()).containsEntry("general.file_type", Integer.toString(preset.fileType()));
        }
    }

    @Test
    void theReportedErrorIsThatOfTheFile() {
        List<QuantizedTensor> tensors = run(huggingFace, Preset.Q4_K_M);

        QuantizedTensor down = tensors.stream()
                .filter(tensor -> tensor.name().equals("blk.0.ffn_down_exps.weight"))
                .findFirst()
                .orElseThrow();
        double squaredError = 0;
        double squares = 0;
        try (Checkpoint made = Checkpoints.open(output())) {
            for (int e = 0; e < CONFIG.numExperts(); e++) {
                String name = "layers.0.feed_forward.experts." + e + ".w2";
                float[] values = made.tensor(name).toFloats();
                for (int i = 0; i < values.length; i++) {
                    double difference = (double) values[i] - model.values(name)[i];
                    squaredError += difference * difference;
                    squares += (double) model.values(name)[i] * model.values(name)[i];
                }
            }
        }
        assertThat(down.relativeError()).isCloseTo(Math.sqrt(squaredError / squares), within(1e-9));
    }

    @Test
    void aGgufSourceKeepsItsMetadata() {
        Path source = folder.resolve("named.gguf");
        Map<String, GgufValue> metadata = TestModels.ggufMetadata(CONFIG);
        metadata.put("tokenizer.chat_template", GgufValue.of("{{ messages }}"));
        metadata.put("custom.key", GgufValue.of(new int[] {1, 2, 3}));
        metadata.put("general.file_type", GgufValue.of(0));
        metadata.put("split.count", GgufValue.of(1));
        GgufWriter.write(source, metadata, TestModels.ggufEntries(model, false));

        run(source, Preset.Q8_0);

        try (Checkpoint made = Checkpoints.open(output());
                Checkpoint from = Checkpoints.open(source)) {
            Map<String, String> expected = new HashMap<>(from.metadata());
            expected.remove("split.count");
            expected.put("general.file_type", "7");
            expected.put("general.quantization_version", "2");
            assertThat(made.metadata()).isEqualTo(expected);
            assertThat(made.chatTemplates()).isEqualTo(from.chatTemplates());
        }
    }

    @Test
    void aFoldersTokenizerAndTemplateGoIntoTheFile() throws IOException {
        Path source = Files.createDirectory(folder.resolve("with-tokenizer"));
        TestModels.writeHuggingFace(model, source, DType.F32);
        Files.write(source.resolve("tokenizer.model"), tokenizer().toByteArray());
        TestModels.writeText(source.resolve("tokenizer_config.json"), "{\"chat_template\": \"{{ bos_token }}\"}");

        run(source, Preset.Q8_0);

        try (Checkpoint made = Checkpoints.open(output())) {
            var tokenizer = Tokenizers.open(made.tokenizerSource().orElseThrow());
            assertThat(tokenizer.encode("ab b"))
                    .isEqualTo(Tokenizers.of(tokenizer()).encode("ab b"));
            assertThat(tokenizer.vocabSize()).isEqualTo(CONFIG.vocabSize());
            assertThat(tokenizer.type(299)).isEqualTo(PieceType.UNUSED);
            assertThat(made.chatTemplates().getFirst().text()).isEqualTo("{{ bos_token }}");
            assertThat(made.eosTokenIds()).containsExactly(2);
        }
    }

    private static SentencePieceModel tokenizer() {
        List<Piece> pieces = new ArrayList<>(
                List.of(new Piece("<unk>", 0, PieceType.UNKNOWN), Piece.control("<s>"), Piece.control("</s>")));
        for (int value = 0; value < 256; value++) {
            pieces.add(Piece.ofByte(value));
        }
        List.of("▁", "a", "b", "ab", "▁ab").forEach(text -> pieces.add(Piece.normal(text, -pieces.size())));
        return SentencePieceModel.bpe(pieces);
    }

    @Test
    void theNumberOfThreadsDoesNotMatter() throws IOException {
        List<QuantizedTensor> one = run(gguf, new QuantizeOptions(output(), Preset.Q4_K_M, null, 1, false, false));
        byte[] bytes = Files.readAllBytes(output());
        List<QuantizedTensor> three = run(gguf, new QuantizeOptions(output(), Preset.Q4_K_M, null, 3, true, false));

        assertThat(Files.readAllBytes(output())).isEqualTo(bytes);
        assertThat(errors(three)).isEqualTo(errors(one));
    }

    private static List<Double> errors(List<QuantizedTensor> tensors) {
        return tensors.stream().map(QuantizedTensor::relativeError).toList();
    }

    /// Stands for a killed process: leaves the run at once.
    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private void interrupt(Path source, Preset preset, @Nullable ImportanceMatrix importance, int afterMatrices) {
        QuantizeOptions options = new QuantizeOptions(output(), preset, importance, 2, false, false);
        int[] count = {0};
        try (Checkpoint checkpoint = Checkpoints.open(source)) {
            ModelQuantizer quantizer = new ModelQuantizer(checkpoint, options, (tensor, done, total) -> {
                if (++count[0] == afterMatrices) {
                    throw new Killed();
                }
            });
            assertThatThrownBy(quantizer::run).isInstanceOf(Killed.class);
        }
    }

    @Test
    void anInterruptedRunIsContinuedToTheSameBytes() throws IOException {
        List<QuantizedTensor> whole = run(huggingFace, Preset.Q4_0);
        byte[] expected = Files.readAllBytes(output());
        for (int afterMatrices : new int[] {1, 5, 12, 30}) {
            Files.deleteIfExists(output());
            interrupt(huggingFace, Preset.Q4_0, null, afterMatrices);
            assertThat(output()).doesNotExist();
            // What the killed process was about to write counts for nothing.
            Files.writeString(
                    PartialFile.journal(output()), "0x1.8p", StandardCharsets.UTF_8, StandardOpenOption.APPEND);

            var resumed = run(huggingFace, new QuantizeOptions(output(), Preset.Q4_0, null, 2, false, true));

            assertThat(Files.readAllBytes(output())).isEqualTo(expected);
            assertThat(errors(resumed)).isEqualTo(errors(whole));
            assertThat(leftovers()).isEmpty();
        }
    }

    @Test
    void aFullDiskLosesNothing() throws IOException {
        run(huggingFace, Preset.Q4_0);
        byte[] expected = Files.readAllBytes(output());
        for (long room : new long[] {0, 100, expected.length / 3, expected.length - 1}) {
            Files.deleteIfExists(output());
            Path full = GuardedFiles.guard(output(), new FullDisk(room));
            assertThatThrownBy(() -> run(huggingFace, new QuantizeOptions(full, Preset.Q4_0, null, 2, false, true)))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageEndingWith(": " + FullDisk.MESSAGE);
            assertThat(output()).doesNotExist();

            run(huggingFace, new QuantizeOptions(output(), Preset.Q4_0, null, 2, false, true));

            assertThat(Files.readAllBytes(output())).isEqualTo(expected);
            assertThat(leftovers()).isEmpty();
        }
    }

    @Test
    void continuingSomethingElseIsRefused() {
        interrupt(huggingFace, Preset.Q4_0, null, 3);

        assertThatThrownBy(() -> run(huggingFace, new QuantizeOptions(output(), Preset.Q8_0, null, 2, false, true)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("another source, type or importance");
        assertThatThrownBy(() -> run(gguf, new QuantizeOptions(output(), Preset.Q4_0, null, 2, false, true)))
                .isInstanceOf(InvalidRequestException.class);
        ImportanceMatrix importance = new ImportanceMatrix("test", Map.of("blk.0.attn_q.weight", ones(256)));
        assertThatThrownBy(
                        () -> run(huggingFace, new QuantizeOptions(output(), Preset.Q4_0, importance, 2, false, true)))
                .isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> run(huggingFace, Preset.Q4_0))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("--resume");
        assertThat(PartialFile.partial(output())).exists();
    }

    @Test
    void aPartialFileShorterThanItsJournalIsRefused() throws IOException {
        interrupt(huggingFace, Preset.Q4_0, null, 5);
        Files.write(PartialFile.partial(output()), new byte[100]);

        assertThatThrownBy(() -> run(huggingFace, new QuantizeOptions(output(), Preset.Q4_0, null, 2, false, true)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("shorter than its journal");
    }

    @Test
    void anExistingFileIsOnlyReplacedOnRequestAndTheSourceNever() throws IOException {
        Files.writeString(output(), "precious");
        assertThatThrownBy(() -> run(gguf, Preset.Q8_0)).hasMessageContaining("exists");
        assertThat(output()).hasContent("precious");

        run(gguf, new QuantizeOptions(output(), Preset.Q8_0, null, 2, true, false));
        byte[] made = Files.readAllBytes(output());

        assertThatThrownBy(() -> run(output(), new QuantizeOptions(output(), Preset.Q4_0, null, 2, true, false)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("is the model that is to be quantised");
        assertThat(Files.readAllBytes(output())).isEqualTo(made);
    }

    @Test
    void infinitiesAndNaNsAreRefusedByNameAndPlace() throws IOException {
        TestModel broken = TestModels.random(CONFIG, 12);
        broken.values("layers.0.attention.wo")[3 * 256 + 7] = Float.NaN;
        Path source = folder.resolve("broken.gguf");
        TestModels.writeGguf(broken, source);

        assertThatThrownBy(() -> run(source, Preset.Q8_0))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("tensor blk.0.attn_output.weight: NaN in row 3, column 7");
        assertThat(leftovers()).containsExactly(source);
        assertThat(output()).doesNotExist();
    }

    @Test
    void whatATypeCannotHoldIsRefused() {
        TestModel large = TestModels.random(CONFIG, 12);
        large.values("layers.0.attention.wq")[5] = 1e8f;
        Path source = folder.resolve("large.gguf");
        TestModels.writeGguf(large, source);

        assertThatThrownBy(() -> run(source, Preset.F16))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("too large for F16");
        assertThat(run(source, Preset.BF16)).isNotEmpty();
    }

    @Test
    void aSourceOfTheSameTypesIsCopied() throws IOException {
        run(gguf, Preset.Q4_K_M);
        Path first = Files.move(output(), folder.resolve("first.gguf"));

        assertThat(run(first, Preset.Q4_K_M)).allMatch(tensor -> tensor.relativeError() == 0);
        assertThat(Files.readAllBytes(output())).isEqualTo(Files.readAllBytes(first));
        try (Checkpoint checkpoint = Checkpoints.open(first)) {
            assertThat(twice(checkpoint, Preset.Q4_K_M)).isFalse();
            assertThat(twice(checkpoint, Preset.Q8_0)).isTrue();
        }
    }

    private boolean twice(Checkpoint checkpoint, Preset preset) {
        QuantizeOptions options = new QuantizeOptions(output(), preset, null, 1, false, false);
        return new ModelQuantizer(checkpoint, options, (tensor, done, total) -> {}).isQuantizedTwice();
    }

    @Test
    void columnsThatSuperBlocksDoNotDivideFallBack() {
        MixtralConfig narrow = new MixtralConfig(192, 320, 1, 3, 1, 64, 4, 2, 64, 1e-5f, 1e6, 64);
        Path source = folder.resolve("narrow.gguf");
        TestModels.writeGguf(TestModels.random(narrow, 3), source);

        List<QuantizedTensor> tensors = run(source, Preset.Q4_K_M);

        assertThat(tensors)
                .filteredOn(tensor -> tensor.name().equals("blk.0.ffn_gate_exps.weight"))
                .allMatch(tensor -> tensor.type() == DType.Q5_0 && tensor.wanted() == DType.Q4_K);
    }

    @Test
    void anImportanceChangesTheMatricesThatItNames() throws IOException {
        run(gguf, Preset.Q4_0);
        Path plain = Files.move(output(), folder.resolve("plain.gguf"));
        float[] perExpert = new float[8 * 256];
        for (int i = 0; i < 256; i++) {
            perExpert[3 * 256 + i] = i % 7 + 1; // the text reached expert 3 only
        }
        ImportanceMatrix importance = new ImportanceMatrix("test", Map.of("blk.0.ffn_gate_exps.weight", perExpert));

        run(gguf, new QuantizeOptions(output(), Preset.Q4_0, importance, 2, false, false));

        try (Checkpoint with = Checkpoints.open(output());
                Checkpoint without = Checkpoints.open(plain)) {
            String expert = "layers.0.feed_forward.experts.";
            assertThat(with.tensor(expert + "3.w1").toFloats())
                    .isNotEqualTo(without.tensor(expert + "3.w1").toFloats());
            for (String same : List.of(expert + "2.w1", expert + "3.w3", "layers.0.attention.wq")) {
                assertThat(with.tensor(same).toFloats())
                        .as(same)
                        .isEqualTo(without.tensor(same).toFloats());
            }
        }
        ImportanceMatrix wrong = new ImportanceMatrix("test", Map.of("blk.0.attn_q.weight", ones(255)));
        assertThatThrownBy(() -> run(gguf, new QuantizeOptions(output(), Preset.Q4_0, wrong, 2, true, false)))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("made for another model");
    }

    private static float[] ones(int n) {
        float[] ones = new float[n];
        Arrays.fill(ones, 1);
        return ones;
    }
}
