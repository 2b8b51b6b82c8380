package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.Checkpoint.NamedTemplate;
import dev.mixtral.format.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// Reads what GGUF metadata says of vocabulary, end of sequence and chat templates.
final class GgufTokenizer {
    private static final String TEMPLATE_KEY = "tokenizer.chat_template";
    private static final int NORMAL_PIECE = 1;

    private final GgufMetadata metadata;
    private final int vocabSize;

    GgufTokenizer(GgufMetadata metadata, int vocabSize) {
        this.metadata = metadata;
        this.vocabSize = vocabSize;
    }

    Optional<TokenizerSource> source() {
        String model = metadata.string("tokenizer.ggml.model").orElse("none");
        Optional<byte[][]> tokens = metadata.strings("tokenizer.ggml.tokens");
        if (tokens.isEmpty() || model.equals("none") || model.equals("no_vocab")) {
            return Optional.empty();
        }
        int numTokens = tokens.get().length;
        if (numTokens > vocabSize) {
            throw new ModelFormatException(
                    metadata.file(),
                    "`tokenizer.ggml.tokens` has " + numTokens + " pieces, but the model only " + vocabSize,
                    null);
        }
        return Optional.of(new TokenizerSource.GgufVocabulary(
                metadata.file(),
                model,
                tokens.get(),
                scores(model, numTokens),
                types(numTokens),
                tokenId("tokenizer.ggml.bos_token_id"),
                tokenId("tokenizer.ggml.eos_token_id"),
                tokenId("tokenizer.ggml.unknown_token_id"),
                metadata.bool("tokenizer.ggml.add_space_prefix").orElse(true)));
    }

    List<Integer> eosTokenIds() {
        Integer eos = tokenId("tokenizer.ggml.eos_token_id");
        return eos == null ? List.of() : List.of(eos);
    }

    /// Returns the templates, the unnamed one first as `default`.
    List<NamedTemplate> chatTemplates() {
        List<NamedTemplate> templates = new ArrayList<>();
        metadata.string(TEMPLATE_KEY).ifPresent(text -> templates.add(new NamedTemplate("default", text)));
        for (String key : metadata.keys()) {
            if (key.startsWith(TEMPLATE_KEY + ".")) {
                String name = key.substring(TEMPLATE_KEY.length() + 1);
                templates.add(new NamedTemplate(name, metadata.string(key).orElseThrow()));
            }
        }
        return List.copyOf(templates);
    }

    private float[] scores(String model, int numTokens) {
        Optional<float[]> scores = metadata.floats("tokenizer.ggml.scores");
        if (scores.isEmpty() && model.equals("llama")) {
            throw new ModelFormatException(metadata.file(), "`tokenizer.ggml.scores` is missing", null);
        }
        scores.ifPresent(values -> checkLength("tokenizer.ggml.scores", values.length, numTokens));
        return scores.orElseGet(() -> new float[numTokens]);
    }

    private int[] types(int numTokens) {
        Optional<int[]> types = metadata.integers("tokenizer.ggml.token_type");
        types.ifPresent(values -> checkLength("tokenizer.ggml.token_type", values.length, numTokens));
        return types.orElseGet(() -> {
            int[] normal = new int[numTokens];
            Arrays.fill(normal, NORMAL_PIECE);
            return normal;
        });
    }

    private void checkLength(String key, int length, int numTokens) {
        if (length != numTokens) {
            throw new ModelFormatException(
                    metadata.file(), "`" + key + "` has " + length + " elements, " + numTokens + " expected", null);
        }
    }

    private @Nullable Integer tokenId(String key) {
        OptionalInt id = metadata.integer(key);
        if (id.isEmpty()) {
            return null;
        }
        if (id.getAsInt() >= vocabSize) {
            throw new ModelFormatException(
                    metadata.file(), "`" + key + "` is " + id.getAsInt() + ", below " + vocabSize + " expected", null);
        }
        return id.getAsInt();
    }
}
