package dev.mixtral.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.error.MixtralException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.io.StrictText;
import dev.mixtral.format.safetensors.SafetensorsFile;
import dev.mixtral.format.safetensors.SafetensorsWriter;
import dev.mixtral.format.safetensors.SafetensorsWriter.Entry;
import dev.mixtral.tensor.DType;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Adapters in PEFT's format: as PEFT writes them, and nothing that is not understood.
class PeftFolderTest {
    private static final MixtralConfig MODEL = TestModels.microConfig();
    private static final String PREFIX = "base_model.model.";

    @TempDir
    private Path folder;

    private static LoraAdapter adapter(boolean dora) {
        LoraConfig config = new LoraConfig(4, 6, 0.05f, true, dora, List.of("q_proj", "w1"), "models/base");
        return TestAdapters.random(
                MODEL, config, 3, module -> module.endsWith("q_proj") || module.endsWith("experts.2.w1"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsWrittenIsReadBack(boolean dora) {
        LoraAdapter written = adapter(dora);
        PeftFolder.write(written, folder.resolve("new/adapter"));
        LoraAdapter read = PeftFolder.read(folder.resolve("new/adapter"));
        assertThat(read.config()).isEqualTo(written.config());
        SameAdapter.assertSame(read, written);
        assertThat(read.numParameters()).isEqualTo(written.numParameters());
        assertThat(PeftFolder.read(folder.resolve("new/adapter/adapter_model.safetensors"), MODEL)
                        .config())
                .isEqualTo(written.config());
        assertThat(LoraFiles.isAdapter(folder.resolve("new/adapter"))).isTrue();
        assertThat(LoraFiles.isAdapter(folder)).isFalse();
    }

    @Test
    void aFullDiskLeavesWhatWasThere() throws IOException {
        Path old = folder.resolve("old");
        PeftFolder.write(adapter(false), old);
        long weights = Files.size(old.resolve("adapter_model.safetensors"));
        LoraAdapter other = TestAdapters.ofEverything(MODEL, 2, 5);
        for (long room : new long[] {0, 10, weights / 2, weights}) {
            for (String name : List.of("old", "new")) {
                Path full = GuardedFiles.guard(folder.resolve(name), new FullDisk(room));
                assertThatThrownBy(() -> PeftFolder.write(other, full))
                        .isInstanceOf(UncheckedIOException.class)
                        .hasMessageEndingWith(": " + FullDisk.MESSAGE);
            }
            SameAdapter.assertSame(PeftFolder.read(old), adapter(false));
            assertThat(old).isDirectoryNotContaining("glob:**.part");
            assertThat(folder.resolve("new")).doesNotExist();
        }
    }

    /// The names and shapes of PEFT's documentation and of `get_peft_model_state_dict`.
    @Test
    void namesAndShapesAreThoseOfPeft() {
        PeftFolder.write(adapter(true), folder);
        Map<String, String> shapes = new LinkedHashMap<>();
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile file = SafetensorsFile.open(folder.resolve("adapter_model.safetensors"), arena);
            assertThat(file.metadata()).containsExactly(Map.entry("format", "pt"));
            for (Tensor tensor : file.tensors()) {
                shapes.put(
                        tensor.name(),
                        tensor.type() + List.of(box(tensor.shape())).toString());
            }
        }
        String expert = "base_model.model.model.layers.1.block_sparse_moe.experts.2.w1.";
        assertThat(shapes)
                .hasSize(12)
                .containsEntry("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", "F32[4, 32]")
                .containsEntry("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", "F32[64, 4]")
                .containsEntry("base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector", "F32[64]")
                .containsEntry(expert + "lora_A.weight", "F32[4, 32]")
                .containsEntry(expert + "lora_B.weight", "F32[64, 4]")
                .containsEntry(expert + "lora_magnitude_vector", "F32[64]");
        assertThat(List.copyOf(shapes.keySet())).isSorted();
    }

    private static Long[] box(long[] shape) {
        Long[] boxed = new Long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            boxed[i] = shape[i];
        }
        return boxed;
    }

    @Test
    void theConfigurationIsThatOfPeft() {
        PeftFolder.write(adapter(false), folder);
        assertThat(StrictText.read(folder.resolve("adapter_config.json")).replaceAll("\\s+", " "))
                .isEqualTo("{ \"alpha_pattern\" : { }, \"auto_mapping\" : null,"
                        + " \"base_model_name_or_path\" : \"models/base\", \"bias\" : \"none\","
                        + " \"corda_config\" : null, \"eva_config\" : null, \"exclude_modules\" : null,"
                        + " \"fan_in_fan_out\" : false, \"inference_mode\" : true, \"init_lora_weights\" : true,"
                        + " \"layer_replication\" : null, \"layers_pattern\" : null, \"layers_to_transform\" : null,"
                        + " \"loftq_config\" : { }, \"lora_alpha\" : 6, \"lora_bias\" : false,"
                        + " \"lora_dropout\" : 0.05, \"megatron_config\" : null,"
                        + " \"megatron_core\" : \"megatron.core\", \"modules_to_save\" : null,"
                        + " \"peft_type\" : \"LORA\", \"r\" : 4, \"rank_pattern\" : { }, \"revision\" : null,"
                        + " \"target_modules\" : [ \"q_proj\", \"w1\" ], \"task_type\" : \"CAUSAL_LM\","
                        + " \"trainable_token_indices\" : null, \"use_dora\" : false, \"use_rslora\" : true } ");
    }

    /// A folder with one module of rank 2 and the given members in its configuration.
    private Path folderWith(String module, Map<String, Object> members) {
        return folderWith(
                members,
                List.of(
                        entry(module + ".lora_A.weight", new long[] {2, 32}),
                        entry(module + ".lora_B.weight", new long[] {64, 2})));
    }

    private Path folderWith(Map<String, Object> members, List<Entry> entries) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("peft_type", "LORA");
        json.put("r", 2);
        json.put("lora_alpha", 4);
        json.put("target_modules", List.of("q_proj"));
        json.putAll(members);
        TestModels.writeJson(folder.resolve("adapter_config.json"), json);
        SafetensorsWriter.write(folder.resolve("adapter_model.safetensors"), Map.of(), entries);
        return folder;
    }

    private static Entry entry(String name, long[] shape) {
        int size = 1;
        for (long n : shape) {
            size *= (int) n;
        }
        float[] values = new float[size];
        Random random = new Random(name.hashCode());
        for (int i = 0; i < size; i++) {
            values[i] = random.nextInt(-8, 8) / 8f; // exact in every type
        }
        return new Entry(PREFIX + name, DType.BF16, shape, values);
    }

    private static final String QUERY = "model.layers.0.self_attn.q_proj";

    @Test
    void ranksAndWeightsOfSingleModulesAreObeyed() {
        Map<String, Object> patterns = Map.of(
                "r", 8, "lora_alpha", 8, "rank_pattern", Map.of("q_proj", 2), "alpha_pattern", Map.of("q_proj", 6));
        LoraAdapter adapter = PeftFolder.read(folderWith(QUERY, patterns));
        float[] scaled = SameAdapter.product(
                SameAdapter.module(adapter, QUERY), adapter.config().scaling());
        LoraAdapter plain = PeftFolder.read(folderWith(QUERY, Map.of("lora_alpha", 6)));
        assertThat(plain.config().scaling()).isEqualTo(3);
        assertThat(scaled).containsExactly(SameAdapter.product(SameAdapter.module(plain, QUERY), 3), within(1e-6f));
        // Written again, the other rank is in the patterns, and the same is read.
        PeftFolder.write(adapter, folder.resolve("again"));
        SameAdapter.assertSame(PeftFolder.read(folder.resolve("again")), adapter);
    }

    @Test
    void theRouterOfTransformers5IsFound() {
        assertThat(PeftFolder.read(folderWith("model.layers.1.mlp.gate", Map.of()))
                        .modules())
                .containsOnlyKeys("model.layers.1.block_sparse_moe.gate");
    }

    /// `[E · r, X]` by expert, then rank; `[Y, r · E]` by rank, then expert; both orientations that PEFT has had.
    @ParameterizedTest
    @CsvSource({"true, false", "false, false", "true, true", "false, true"})
    void fusedExpertsAreTakenApart(boolean gateUp, boolean swapped) {
        int in = gateUp ? 32 : 64;
        int out = gateUp ? 128 : 32;
        String module = "model.layers.0.mlp.experts" + (gateUp ? ".base_layer" : "");
        Entry a = entry(module + ".lora_A.weight", new long[] {8, swapped ? out : in});
        Entry b = entry(module + ".lora_B.weight", new long[] {swapped ? in : out, 8});
        LoraAdapter adapter = PeftFolder.read(
                folderWith(
                        Map.of("target_parameters", List.of("mlp.experts.gate_up_proj", "mlp.experts.down_proj")),
                        List.of(a, b)),
                MODEL);
        for (int e = 0; e < 4; e++) {
            for (int row = 0; row < out; row++) {
                for (int col = 0; col < in; col++) {
                    double expected = 0;
                    for (int k = 0; k < 2; k++) {
                        int ofA = swapped ? row : col;
                        int ofB = swapped ? col : row;
                        expected +=
                                a.values()[(e * 2 + k) * (swapped ? out : in) + ofA] * b.values()[ofB * 8 + k * 4 + e];
                    }
                    assertThat(element(adapter, e, gateUp, row, col)).isEqualTo((float) (2 * expected));
                }
            }
        }
        assertThatThrownBy(() -> PeftFolder.read(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("fused");
    }

    private static float element(LoraAdapter adapter, int e, boolean gateUp, int row, int col) {
        String expert = "model.layers.0.block_sparse_moe.experts." + e;
        String matrix = !gateUp ? ".w2" : row < 64 ? ".w1" : ".w3";
        LoraWeights weights = SameAdapter.module(adapter, expert + matrix);
        int ofMatrix = gateUp ? row % 64 : row;
        double sum = 0;
        for (int k = 0; k < weights.rank(); k++) {
            sum += (double) weights.b()[ofMatrix * weights.rank() + k] * weights.a()[k * weights.in() + col];
        }
        return (float) (adapter.config().scaling() * sum);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bias | all | bias",
                "modules_to_save | [\"lm_head\"] | modules_to_save",
                "fan_in_fan_out | true | fan_in_fan_out",
                "lora_bias | true | lora_bias",
                "init_lora_weights | pissa | init_lora_weights",
                "layer_replication | [[0, 4]] | layer_replication",
                "trainable_token_indices | [1] | trainable_token_indices",
                "use_qalora | true | use_qalora",
                "something_of_tomorrow | 7 | something_of_tomorrow",
                "peft_type | IA3 | LORA",
                "rank_pattern | {\"layers.[0-9].q_proj\": 4} | regular expression",
            })
    void unsupportedOptionsAreRefusedByName(String key, String value, String message) throws IOException {
        folderWith(QUERY, Map.of());
        Path config = folder.resolve("adapter_config.json");
        String quoted = value.matches("[a-zA-Z].*") && !value.equals("true") ? '"' + value + '"' : value;
        String text = Files.readString(config);
        Files.writeString(
                config,
                key.equals("peft_type")
                        ? text.replace("\"LORA\"", quoted)
                        : text.replace("{\"peft_type\"", "{\"" + key + "\":" + quoted + ",\"peft_type\""));
        assertThatThrownBy(() -> PeftFolder.read(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model.layers.0.self_attn.q_proj.bias",
                "model.lm_head.modules_to_save.weight",
                "model.embed_tokens.lora_embedding_A",
                "model.layers.0.self_attn.q_proj.lora_B.bias"
            })
    void tensorsThatAreNoneOfAnAdapterAreRefusedByName(String name) {
        List<Entry> entries = new ArrayList<>(List.of(
                entry(QUERY + ".lora_A.weight", new long[] {2, 32}),
                entry(QUERY + ".lora_B.weight", new long[] {64, 2})));
        entries.add(entry(name, new long[] {3}));
        assertThatThrownBy(() -> PeftFolder.read(folderWith(Map.of(), entries)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(name);
    }

    @Test
    void contradictionsAreRefused() {
        assertThatThrownBy(() -> PeftFolder.read(folderWith(QUERY, Map.of("r", 3))))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("[3, in]")
                .hasMessageContaining("[2, 32]");
        assertThatThrownBy(() -> PeftFolder.read(folderWith(QUERY, Map.of("use_dora", true))))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("lora_magnitude_vector");
        assertThatThrownBy(() -> PeftFolder.read(folderWith(
                        Map.of(), List.of(entry(QUERY + ".lora_A.weight", new long[] {2, 32})))))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("no lora_B");
        assertThatThrownBy(() -> PeftFolder.read(folderWith(Map.of(), List.of())))
                .isInstanceOf(ModelFormatException.class);
        assertThatThrownBy(() -> PeftFolder.read(folder.resolve("nothing")))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("nothing");
    }

    @Test
    void infiniteWeightsAreRefused() {
        Entry a = entry(QUERY + ".lora_A.weight", new long[] {2, 32});
        a.values()[5] = Float.NaN;
        assertThatThrownBy(() -> PeftFolder.read(folderWith(
                        Map.of(), List.of(a, entry(QUERY + ".lora_B.weight", new long[] {64, 2})))))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("index 5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"adapter_config.json", "adapter_model.safetensors"})
    void brokenFilesFailCleanly(String name) throws IOException {
        folderWith(QUERY, Map.of("rank_pattern", Map.of("w1", 4), "alpha_pattern", Map.of("w1", 4.5)));
        Path file = folder.resolve(name);
        byte[] original = Files.readAllBytes(file);
        Mutations.truncateEverywhere(original, bytes -> read(file, bytes));
        int readable = Mutations.mutate(original, Math.min(original.length, 400), 3_000, bytes -> read(file, bytes));
        assertThat(readable).isLessThan(3_000);
        Files.write(file, original);
        assertThat(PeftFolder.read(folder, MODEL).modules()).hasSize(1);
    }

    private void read(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes);
        LoraDeltas.check(PeftFolder.read(folder, MODEL), MODEL);
    }

    @Test
    void anAdapterOfAnotherModelIsRefusedByName() {
        MixtralConfig other = new MixtralConfig(32, 64, 1, 4, 2, 8, 2, 2, 48, 1e-5f, 1e6, 256);
        assertThatThrownBy(() -> LoraDeltas.check(adapter(false), other))
                .isInstanceOf(MixtralException.class)
                .hasMessageContaining("models/base")
                .hasMessageContaining("model.layers.0.self_attn.q_proj: [32, 32] expected, got [64, 32]")
                .hasMessageContaining("model.layers.1.self_attn.q_proj: the model has no such matrix")
                .hasMessageContaining("experts.2.w1");
    }
}
