package dev.mixtral.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.tensor.Tensor;
import dev.mixtral.testing.Mutations;
import dev.mixtral.testing.TestModels;
import dev.mixtral.testing.TestModels.TestModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Files that are cut off or changed at random must end in a typed exception, or in a model whose every tensor can be
/// read.
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BrokenFilesTest {
    private static final int MUTATIONS = 10_000;

    @TempDir
    static Path root;

    /// A file to break.
    enum Victim {
        GGUF("gguf/model.gguf", "gguf/model.gguf"),
        SAFETENSORS("hf/model.safetensors", "hf"),
        CONFIG_JSON("hf/config.json", "hf"),
        PARAMS_JSON("mistral/params.json", "mistral"),
        CONSOLIDATED("mistral/consolidated.safetensors", "mistral/consolidated.safetensors"),
        INDEX_JSON("sharded/model.safetensors.index.json", "sharded"),
        TOKENIZER_CONFIG("hf/tokenizer_config.json", "hf");

        private final String file;
        private final String model;

        Victim(String file, String model) {
            this.file = file;
            this.model = model;
        }
    }

    @BeforeAll
    static void writeModels() throws IOException {
        TestModel model = TestModels.random(new MixtralConfig(4, 4, 1, 2, 1, 2, 2, 1, 6, 1e-5f, 1e6, 16), 3);
        for (String name : new String[] {"gguf", "hf", "mistral", "sharded"}) {
            Files.createDirectory(root.resolve(name));
        }
        TestModels.writeGguf(model, root.resolve("gguf/model.gguf"));
        TestModels.writeHuggingFace(model, root.resolve("hf"), DType.F16);
        TestModels.writeText(
                root.resolve("hf/tokenizer_config.json"),
                "{\"chat_template\": [{\"name\": \"default\", \"template\": \"{{ messages }}\"}]}");
        TestModels.writeMistral(model, root.resolve("mistral"));
        TestModels.writeHuggingFace(model, root.resolve("sharded"), DType.F32);
        ShardedFiles.write(root.resolve("sharded"), TestModels.huggingFaceEntries(model, DType.F32));
    }

    @ParameterizedTest
    @EnumSource
    void aFileCutOffAnywhereFailsCleanly(Victim victim) throws IOException {
        byte[] original = Files.readAllBytes(root.resolve(victim.file));
        try {
            Mutations.truncateEverywhere(original, bytes -> openAndTouch(victim, bytes));
        } finally {
            Files.write(root.resolve(victim.file), original);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aChangedFileFailsCleanlyOrLoads(Victim victim) throws IOException {
        byte[] original = Files.readAllBytes(root.resolve(victim.file));
        int header = Math.min(original.length, 3000);
        try {
            int readable = Mutations.mutate(original, header, MUTATIONS, bytes -> openAndTouch(victim, bytes));
            assertThat(readable).isLessThan(MUTATIONS);
        } finally {
            Files.write(root.resolve(victim.file), original);
        }
    }

    @Test
    void theUnbrokenFilesLoad() throws IOException {
        for (Victim victim : Victim.values()) {
            openAndTouch(victim, Files.readAllBytes(root.resolve(victim.file)));
        }
    }

    private static void openAndTouch(Victim victim, byte[] bytes) throws IOException {
        Path file = root.resolve(victim.file);
        overwrite(file, bytes);
        try (Checkpoint checkpoint = Checkpoints.open(root.resolve(victim.model))) {
            for (StoredTensor stored : checkpoint.tensors()) {
                touch(stored.tensor());
            }
            SameWeights.names(checkpoint.config()).forEach(name -> touch(checkpoint.tensor(name)));
        }
    }

    /// Truncates only after writing: some file systems flush a file to the disk that was emptied first.
    private static void overwrite(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes), 0);
            channel.truncate(bytes.length);
        }
    }

    /// Decodes the first and the last block.
    private static void touch(Tensor tensor) {
        DType type = tensor.type();
        long bytes = tensor.data().byteSize();
        if (bytes > 0) {
            float[] block = new float[type.blockSize()];
            Dequantizer.dequantize(type, tensor.data(), 0, block, 0, block.length);
            Dequantizer.dequantize(type, tensor.data(), bytes - type.blockBytes(), block, 0, block.length);
        }
    }
}
