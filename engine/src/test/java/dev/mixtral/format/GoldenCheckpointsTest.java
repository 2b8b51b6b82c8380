package dev.mixtral.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.tensor.Tensor;
import dev.mixtral.testing.SharedData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The project's golden models, each in many files.
class GoldenCheckpointsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "micro/hf-f16",
                "micro/hf-f32-sharded",
                "micro/mistral-bf16",
                "micro/micro-F16.gguf",
                "micro/micro-BF16.gguf",
                "micro/micro-F16-v2-oldexperts.gguf",
                "micro/micro-F32-align256.gguf",
            })
    void everyUnquantisedFileOfAModelHoldsTheSameValues(String name) {
        try (Checkpoint expected = Checkpoints.open(SharedData.file("tiny/micro/micro-F32.gguf"));
                Checkpoint actual = Checkpoints.open(SharedData.file("tiny/" + name))) {
            assertThat(actual.config()).isEqualTo(expected.config());
            SameWeights.assertSame(actual, expected);
        }
    }

    @Test
    void theModelWithAFullVocabularyIsTheSameInBothFormats() {
        try (Checkpoint expected = Checkpoints.open(SharedData.file("tiny/tiny-v32k/tiny-v32k-F32.gguf"));
                Checkpoint actual = Checkpoints.open(SharedData.file("tiny/tiny-v32k/hf-bf16"))) {
            assertThat(actual.config()).isEqualTo(expected.config());
            SameWeights.assertSame(actual, expected);
        }
    }

    @Test
    void theUnquantisedFileOfTheKQuantModelHasItsConfiguration() {
        try (Checkpoint expected = Checkpoints.open(SharedData.file("tiny/tiny-k/tiny-k-Q4_K_M.gguf"));
                Checkpoint actual = Checkpoints.open(SharedData.file("tiny/tiny-k/hf-bf16"))) {
            assertThat(actual.config()).isEqualTo(expected.config());
        }
    }

    @Test
    void dequantisedTensorsHaveTheGoldenDigests() {
        JsonNode files = new JsonMapper()
                .readTree(SharedData.file("tiny/golden/dequant-sha256.json").toFile());
        int checked = 0;
        for (var file : files.properties()) {
            if (!file.getKey().contains("MXFP4")) {
                try (Checkpoint checkpoint = Checkpoints.open(path(file.getKey()))) {
                    for (StoredTensor stored : checkpoint.tensors()) {
                        JsonNode golden = file.getValue().get(stored.tensor().name());
                        assertThat(sha256(stored.tensor()))
                                .as("%s %s", file.getKey(), stored.tensor())
                                .isEqualTo(golden.get("sha256_f32").stringValue());
                        assertThat(stored.tensor().type().name())
                                .isEqualTo(golden.get("type").stringValue());
                        checked++;
                    }
                    assertThat(checkpoint.tensors()).hasSize(file.getValue().size());
                }
            }
        }
        assertThat(checked).isGreaterThan(500);
    }

    @Test
    void anUnsupportedTypeIsRefusedByName() {
        Path file = SharedData.file("tiny/micro/micro-MXFP4.gguf");
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("MXFP4 (type 39)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf-bf16", "tiny-v32k-F32.gguf"})
    void aFullVocabularyIsFound(String name) {
        try (Checkpoint checkpoint = Checkpoints.open(SharedData.file("tiny/tiny-v32k/" + name))) {
            assertThat(checkpoint.tokenizerSource()).isPresent();
            assertThat(checkpoint.eosTokenIds()).containsExactly(2);
            assertThat(checkpoint.chatTemplates()).hasSize(1);
            assertThat(checkpoint.chatTemplates().getFirst().text()).contains("[INST]");
        }
    }

    private static Path path(String name) {
        String model = name.startsWith("tiny-k") ? "tiny-k" : name.startsWith("tiny-v32k") ? "tiny-v32k" : "micro";
        return SharedData.file("tiny/" + model + "/" + name);
    }

    private static String sha256(Tensor tensor) {
        float[] floats = tensor.toFloats();
        ByteBuffer bytes = ByteBuffer.allocate(floats.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(floats);
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
