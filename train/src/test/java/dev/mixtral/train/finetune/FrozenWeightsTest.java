package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.PeftFolder;
import dev.mixtral.quantize.ModelPacker;
import dev.mixtral.quantize.ModelQuantizer;
import dev.mixtral.quantize.Preset;
import dev.mixtral.quantize.QuantizeOptions;
import dev.mixtral.train.Batch;
import dev.mixtral.train.Parameters;
import dev.mixtral.train.TorchMixtral;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("pytorch")
class FrozenWeightsTest {
    @TempDir
    private Path folder;

    @BeforeAll
    static void oneThread() {
        torch.set_num_threads(1);
    }

    private Path quantized(Preset preset) {
        Path file = folder.resolve(preset + ".gguf");
        try (Checkpoint checkpoint = Checkpoints.open(TinyModel.EMBEDDED)) {
            var options = new QuantizeOptions(file, preset, null, 2, false, false);
            new ModelQuantizer(checkpoint, options, (_, _, _) -> {}).run();
        }
        return file;
    }

    private static float[] logits(TorchMixtral model, long[] ids) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            return Parameters.toArray(
                    model.logits(model.forward(ids, 1, ids.length).states()));
        }
    }

    private static void assertClose(float[] actual, float[] expected, double tolerance) {
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
        }
        assertThat(worst).isCloseTo(0, within(tolerance));
    }

    @Test
    void aModelIsTheSameInEveryLayoutOfItsFiles() {
        Path gguf = quantized(Preset.of("f32").orElseThrow());
        try (Checkpoint published = Checkpoints.open(TinyModel.EMBEDDED);
                Checkpoint interleaved = Checkpoints.open(gguf);
                FrozenWeights expected = new FrozenWeights(published, true, 2);
                FrozenWeights actual = new FrozenWeights(interleaved, false, 2);
                var _ = new PointerScope()) {
            for (String block :
                    List.of("layers.0.attention.qkv", "layers.3.feed_forward.experts.7.gate_up", "output")) {
                assertThat(Parameters.toArray(actual.matrix(block)))
                        .isEqualTo(Parameters.toArray(expected.matrix(block)));
            }
            Parameters full = FullWeights.load(interleaved, 2);
            long[] ids = TinyModel.batch(2048, 1, 40, false).inputs();
            LoraParameters none = new LoraParameters(List.of(), 1, false, 1);
            float[] frozen = logits(new TorchMixtral(new AdaptedWeights(expected, none, 1, 0)), ids);
            assertClose(logits(new TorchMixtral(full), ids), frozen, 1e-4);
        }
    }

    @Test
    void aPackedModelHasTheWeightsThatItWasPackedFrom() {
        Path gguf = quantized(Preset.of("q4_0").orElseThrow());
        Path packed = folder.resolve("packed.gguf");
        try (Checkpoint stored = Checkpoints.open(gguf);
                ThreadTeam team = new ThreadTeam(2)) {
            ModelPacker.pack(stored, packed, false, team, (_, _, _) -> {});
            try (Checkpoint panels = Checkpoints.open(packed);
                    FrozenWeights expected = new FrozenWeights(stored, false, 2);
                    FrozenWeights actual = new FrozenWeights(panels, false, 2);
                    var _ = new PointerScope()) {
                for (String block : List.of(
                        "layers.0.attention.qkv",
                        "layers.1.attention.wo",
                        "layers.2.feed_forward.gate",
                        "layers.3.feed_forward.experts.7.gate_up",
                        "layers.3.feed_forward.experts.7.w2",
                        "output")) {
                    assertThat(Parameters.toArray(actual.matrix(block)))
                            .describedAs(block)
                            .isEqualTo(Parameters.toArray(expected.matrix(block)));
                }
                assertThat(BaseIdentity.of(panels)).isNotEqualTo(BaseIdentity.of(stored));
            }
        }
    }

    @Test
    void theAdapterThatIsWrittenIsTheOneThatWasTrained() {
        for (boolean dora : new boolean[] {false, true}) {
            try (Checkpoint checkpoint = Checkpoints.open(TinyModel.EMBEDDED);
                    FrozenWeights frozen = new FrozenWeights(checkpoint, true, 2)) {
                var modules = TargetModules.choose(checkpoint.config(), List.of("all-linear"));
                LoraParameters lora = new LoraParameters(modules, 4, dora, 1);
                LoraConfig config = new LoraConfig(
                        4, 8, 0, false, dora, TargetModules.peftNames(checkpoint.config(), modules), "base");
                AdaptedWeights weights = new AdaptedWeights(frozen, lora, config.scaling(), 0);
                if (dora) {
                    weights.initializeMagnitudes();
                }
                TinyModel.randomize(lora, 9);
                Path written = folder.resolve("adapter-" + dora);
                PeftFolder.write(lora.toAdapter(config), written);
                LoraAdapter adapter = PeftFolder.read(written);
                assertThat(adapter.config().targetModules()).isEqualTo(config.targetModules());

                Batch batch = TinyModel.batch(2048, 1, 60, false);
                float[] applied = logits(new TorchMixtral(weights), batch.inputs());
                Parameters merged = FullWeights.load(checkpoint, 2);
                MergedModel.merge(merged, adapter);
                assertClose(logits(new TorchMixtral(merged), batch.inputs()), applied, 1e-4);
            }
        }
    }

    @Test
    void anUntrainedAdapterChangesNothing() {
        try (Checkpoint checkpoint = Checkpoints.open(TinyModel.EMBEDDED);
                FrozenWeights frozen = new FrozenWeights(checkpoint, true, 2)) {
            long[] ids = TinyModel.batch(2048, 1, 30, false).inputs();
            var modules = TargetModules.choose(checkpoint.config(), List.of("all-linear"));
            LoraParameters none = new LoraParameters(List.of(), 1, false, 1);
            float[] expected = logits(new TorchMixtral(new AdaptedWeights(frozen, none, 1, 0)), ids);
            for (boolean dora : new boolean[] {false, true}) {
                AdaptedWeights weights = new AdaptedWeights(frozen, new LoraParameters(modules, 4, dora, 1), 2, 0);
                if (dora) {
                    weights.initializeMagnitudes();
                }
                assertClose(logits(new TorchMixtral(weights), ids), expected, 1e-4);
            }
        }
    }

    @Test
    void allWeightsNeedACheckpointThatCanBeWrittenAgain() {
        Path gguf = quantized(Preset.of("q8_0").orElseThrow());
        try (Checkpoint checkpoint = Checkpoints.open(gguf)) {
            assertThatThrownBy(() -> FullWeights.check(checkpoint, gguf))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("Use method lora");
        }
    }

    @Test
    void writesAllWeightsAsACheckpointLikeTheFirst() {
        try (Checkpoint checkpoint = Checkpoints.open(TinyModel.EMBEDDED)) {
            Parameters parameters = FullWeights.load(checkpoint, 2);
            try (var _ = new NoGradGuard()) {
                parameters.values().mul_(new Scalar(0.5));
            }
            Path copy = folder.resolve("copy");
            assertThat(copy.toFile().mkdir()).isTrue();
            FullWeights.write(parameters, TinyModel.EMBEDDED, copy);
            try (Checkpoint written = Checkpoints.open(copy)) {
                assertThat(written.config()).isEqualTo(checkpoint.config());
                assertThat(written.tokenizerSource()).isPresent();
                float[] before = checkpoint.tensor("layers.1.attention.wk").toFloats();
                float[] after = written.tensor("layers.1.attention.wk").toFloats();
                for (int i = 0; i < before.length; i++) {
                    assertThat(after[i]).isEqualTo(before[i] / 2);
                }
            }
        }
    }
}
