package dev.mixtral.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.gguf.GgufType;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.format.gguf.GgufWriter;
import dev.mixtral.format.io.StrictJson;
import dev.mixtral.testing.TestModels;
import dev.mixtral.testing.TestModels.TestModel;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationsTest {
    private static final String MIXTRAL_8X7B = "{'model_type':'mixtral'}";
    private static final TestModel MODEL = TestModels.random(TestModels.microConfig(), 5);
    private static final String PARAMS = "'dim':4096,'n_layers':32,'hidden_dim':14336,'n_heads':32,'n_kv_heads':8,"
            + "'norm_eps':1e-5,'vocab_size':32000";

    @TempDir
    Path folder;

    @Test
    void absentKeysOfConfigJsonMeanMixtral8x7b() {
        MixtralConfig mixtral = new MixtralConfig(4096, 14_336, 32, 32, 8, 128, 8, 2, 32_000, 1e-5f, 1e6, 32_768);

        assertThat(huggingFace(MIXTRAL_8X7B)).isEqualTo(mixtral);
        assertThat(huggingFace("{'architectures':['MixtralForCausalLM']}")).isEqualTo(mixtral);
        assertThat(huggingFace("{'model_type':'mixtral','head_dim':null,'sliding_window':null}"))
                .isEqualTo(mixtral);
        assertThat(mixtral.numParameters()).isEqualTo(46_702_792_704L);
        assertThat(mixtral.numActiveParameters()).isEqualTo(12_879_925_248L);
    }

    @Test
    void ropeThetaMayHideInRopeParameters() {
        assertThat(huggingFace("{'model_type':'mixtral','rope_parameters':{'rope_type':'default','rope_theta':5e5}}")
                        .ropeTheta())
                .isEqualTo(5e5);
    }

    @Test
    void theWindowOfAMixtureIsDropped() {
        assertThat(huggingFace("{'model_type':'mixtral','sliding_window':4096}").contextLength())
                .isEqualTo(32_768);
    }

    @Test
    void theWindowOfADenseModelLimitsItsContext() {
        String dense = "{'model_type':'mistral','hidden_size':64,'intermediate_size':96,'num_hidden_layers':2,"
                + "'num_attention_heads':4,'num_key_value_heads':2,'vocab_size':100,'sliding_window':4096}";
        assertThat(huggingFace(dense).contextLength()).isEqualTo(4096);
        assertThat(huggingFace(dense).headDim()).isEqualTo(16);
        assertThat(huggingFace(dense).isDense()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'model_type':'qwen2'}|`model_type` qwen2",
                "{}|`model_type` (absent)",
                "{'model_type':'mixtral','rope_scaling':{'type':'linear','factor':2.0}}|`rope_scaling` of type linear",
                "{'model_type':'mixtral','rope_parameters':{'rope_type':'yarn'}}|`rope_parameters` of type yarn",
                "{'model_type':'mixtral','rope_parameters':{'full_attention':{'rope_theta':1}}}|full_attention",
                "{'model_type':'mixtral','quantization_config':{'quant_method':'awq','bits':4}}|quantised by awq",
                "{'model_type':'mixtral','quantization_config':{}}|an unnamed method",
                "{'model_type':'mixtral','hidden_act':'gelu'}|`hidden_act` gelu",
                "{'model_type':'mixtral','attention_bias':true}|`attention_bias`",
                "{'model_type':'mixtral','partial_rotary_factor':0.5}|`partial_rotary_factor` 0.5",
            })
    void whatChangesResultsIsRefused(String json, String message) {
        assertThatThrownBy(() -> huggingFace(json))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(message)
                .hasMessageContaining("config.json");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "'hidden_size':0|dim must be positive, got 0",
                "'hidden_size':-4096|dim must be positive, got -4096",
                "'num_attention_heads':0|does not divide",
                "'num_attention_heads':0,'head_dim':128|numHeads must be positive",
                "'num_key_value_heads':5|numKvHeads 5 must divide numHeads 32",
                "'head_dim':127|headDim must be even",
                "'num_experts_per_tok':9|numExpertsPerToken 9 must not exceed numExperts 8",
                "'num_local_experts':0|numExperts must be positive",
                "'rms_norm_eps':0|normEps must be positive",
                "'rms_norm_eps':'x'|`rms_norm_eps`: a finite number expected",
                "'rms_norm_eps':1e999|`rms_norm_eps`: a finite number expected",
                "'rope_theta':-1.0|ropeTheta must be positive",
                "'vocab_size':4294967296|`vocab_size`: a 32-bit integer expected",
                "'vocab_size':32000.0|`vocab_size`: a 32-bit integer expected",
                "'num_hidden_layers':2147483647,'hidden_size':2147483584,'head_dim':2|it would have",
                "'head_dim':1073741824|numHeads * headDim is 34359738368",
                "'vocab_size':1,'vocab_size':2|uplicate",
                "'tie_word_embeddings':1|true or false expected",
                "'rope_scaling':[]|an object expected, got an array of 0",
            })
    void impossibleConfigurationsAreRefused(String members, String message) {
        assertThatThrownBy(() -> huggingFace("{'model_type':'mixtral'," + members + "}"))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(message)
                .hasMessageContaining("config.json");
    }

    @Test
    void paramsJsonHasTheDefaultsOfMistral() {
        MixtralConfig config = mistral("{" + PARAMS + ",'moe':{'num_experts':8,'num_experts_per_tok':2}}");
        assertThat(config).isEqualTo(huggingFace(MIXTRAL_8X7B));

        MixtralConfig mistral7b = mistral("{" + PARAMS + ",'sliding_window':4096}");
        assertThat(mistral7b.ropeTheta()).isEqualTo(1e4);
        assertThat(mistral7b.contextLength()).isEqualTo(4096);
        assertThat(mistral7b.isDense()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "{'dim':1}|`n_heads` is missing",
                "{'dim':1.5}|`dim`: a 32-bit integer expected",
                "[]|a JSON object expected, got an array of 0",
                "''|a JSON object expected",
                "{'dim':1} {}|invalid JSON",
            })
    void brokenParamsAreRefused(String json, String message) {
        assertThatThrownBy(() -> mistral(json))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(message)
                .hasMessageContaining("params.json");
    }

    @Test
    void foreignParamsAreRefused() {
        assertThatThrownBy(() -> mistral("{" + PARAMS + ",'vision_encoder':{}}"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("vision_encoder");
    }

    @Test
    void ggufKeysMayHaveAnyIntegerTypeAndBeGivenPerLayer() {
        Map<String, GgufValue> metadata = TestModels.ggufMetadata(MODEL.config());
        metadata.put("llama.block_count", new GgufValue.Int(GgufType.UINT64, 2));
        metadata.put("llama.expert_count", new GgufValue.Int(GgufType.INT32, 4));
        metadata.put("llama.attention.head_count_kv", GgufValue.of(new int[] {2, 2}));
        metadata.remove("llama.vocab_size");

        assertThat(gguf(metadata)).isEqualTo(MODEL.config());
    }

    @Test
    void aMissingGgufThetaIsTenThousand() {
        Map<String, GgufValue> metadata = TestModels.ggufMetadata(MODEL.config());
        metadata.remove("llama.rope.freq_base");

        assertThat(gguf(metadata).ropeTheta()).isEqualTo(10_000);
    }

    @Test
    void ggufKeysThatChangeResultsAreRefused() {
        assertUnsupported("general.architecture", GgufValue.of("qwen2"), "qwen2");
        assertUnsupported("llama.rope.scaling.type", GgufValue.of("yarn"), "yarn");
        assertUnsupported("llama.rope.scaling.factor", GgufValue.of(2f), "2.0");
        assertUnsupported("llama.rope.dimension_count", GgufValue.of(8), "`llama.rope.dimension_count` 8");
        assertUnsupported("llama.attention.value_length", GgufValue.of(8), "`llama.attention.value_length` 8");
        assertUnsupported(
                "llama.attention.head_count_kv", GgufValue.of(new int[] {2, 1}), "differs between layers: [2, 1]");
        assertUnsupported("llama.attention.causal", GgufValue.of(false), "causal");
    }

    @Test
    void brokenGgufConfigurationsAreRefused() {
        assertBroken("llama.attention.head_count", GgufValue.of(0), "head_count` must be positive");
        assertBroken("llama.attention.head_count_kv", GgufValue.of(3), "must divide numHeads");
        assertBroken("llama.expert_used_count", GgufValue.of(5), "must not exceed numExperts");
        assertBroken("llama.block_count", GgufValue.of("two"), "an integer expected");
        assertBroken("llama.block_count", new GgufValue.Int(GgufType.INT32, -2), "got -2");
        assertBroken("llama.block_count", GgufValue.of(3), "blk.2.attn_norm.weight [32] is missing");
        assertBroken("tokenizer.ggml.eos_token_id", GgufValue.of(48), "below 48 expected");
        assertBroken("tokenizer.ggml.scores", GgufValue.of(new float[3]), "3 elements, 48 expected");
        assertBroken("tokenizer.chat_template", GgufValue.of(1), "a string expected");
    }

    private void assertUnsupported(String key, GgufValue value, String message) {
        assertThatThrownBy(() -> gguf(changed(key, value)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(message);
    }

    private void assertBroken(String key, GgufValue value, String message) {
        assertThatThrownBy(() -> gguf(changed(key, value)))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(message);
    }

    private static Map<String, GgufValue> changed(String key, GgufValue value) {
        Map<String, GgufValue> metadata = TestModels.ggufMetadata(MODEL.config());
        metadata.put(key, value);
        return metadata;
    }

    private MixtralConfig gguf(Map<String, GgufValue> metadata) {
        Path file = folder.resolve("m.gguf");
        GgufWriter.write(file, metadata, TestModels.ggufEntries(MODEL, true));
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            return checkpoint.config();
        }
    }

    private static MixtralConfig huggingFace(String json) {
        return HfConfig.read(StrictJson.parseObject("config.json", json.replace('\'', '"')))
                .config();
    }

    private static MixtralConfig mistral(String json) {
        return MistralParams.read(StrictJson.parseObject("params.json", json.replace('\'', '"')))
                .config();
    }
}
