package dev.mixtral.train.finetune;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MatrixRows;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.io.AtomicFile;
import dev.mixtral.train.ModelFolder;
import dev.mixtral.train.Parameters;
import dev.mixtral.train.finetune.DecodedMatrix.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/// All weights of a checkpoint as what is trained, and back to a checkpoint.
final class FullWeights {
    private static final Pattern BESIDE_WEIGHTS =
            Pattern.compile("config\\.json|generation_config\\.json|.*token.*|chat_template.*|LICENSE.*");

    private FullWeights() {}

    /// Refuses checkpoints that cannot be written again with other weights.
    ///
    /// @param model where the checkpoint lies
    static void check(Checkpoint checkpoint, Path model) {
        if (!Files.isRegularFile(model.resolve("config.json"))) {
            throw new UnsupportedModelException("method full writes a checkpoint like the one it began with, in Hugging"
                    + " Face's layout; " + model + " is none. Use method lora, or the model's Hugging Face folder.");
        }
        if (checkpoint.config().isDense() || checkpoint.isTied()) {
            throw new UnsupportedModelException("method full trains mixtures of experts with an output matrix of their"
                    + " own; " + model + " is none. Use method lora.");
        }
    }

    /// Decodes all weights of a checkpoint.
    static Parameters load(Checkpoint checkpoint, int threads) {
        Parameters parameters = new Parameters(checkpoint.config(), 0);
        try (ExecutorService executor = Executors.newFixedThreadPool(threads);
                var _ = new NoGradGuard()) {
            parameters.published().forEach((name, target) -> {
                try (var _ = new PointerScope()) {
                    Tensor decoded = DecodedMatrix.decode(List.of(source(checkpoint, canonical(name))), executor);
                    target.copy_(decoded.reshape(target.sizes()));
                }
            });
        }
        return parameters;
    }

    private static Source source(Checkpoint checkpoint, String name) {
        MixtralConfig config = checkpoint.config();
        boolean rotates = name.endsWith(".wq") || name.endsWith(".wk");
        MatrixRows stored = MatrixRows.of(checkpoint, name);
        return rotates ? Source.heads(stored, checkpoint.ropeLayout(), config.headDim()) : Source.plain(stored);
    }

    /// Returns what [Checkpoint] calls a weight of Hugging Face's name.
    private static String canonical(String name) {
        return name.replace("model.embed_tokens", "tok_embeddings")
                .replace("lm_head", "output")
                .replace("model.", "")
                .replace("input_layernorm", "attention_norm")
                .replace("post_attention_layernorm", "ffn_norm")
                .replaceAll("self_attn\\.([qkvo])_proj", "attention.w$1")
                .replace("block_sparse_moe", "feed_forward")
                .replaceAll("\\.weight$", "");
    }

    /// Writes the checkpoint: the weights in bf16, and copies of what lies beside those of the model.
    static void write(Parameters parameters, Path model, Path folder) {
        new ModelFolder(folder).writeWeights(parameters);
        try (var files = Files.list(model)) {
            for (Path file : files.sorted().toList()) {
                if (BESIDE_WEIGHTS.matcher(file.getFileName().toString()).matches()) {
                    byte[] bytes = Files.readAllBytes(file);
                    AtomicFile.write(
                            folder.resolve(file.getFileName()),
                            channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(bytes)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy " + model + " to " + folder + ": " + e.getMessage(), e);
        }
    }
}
