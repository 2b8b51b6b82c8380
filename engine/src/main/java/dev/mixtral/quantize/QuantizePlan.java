package dev.mixtral.quantize;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.MixtralGguf;
import dev.mixtral.format.MixtralGguf.Part;
import dev.mixtral.format.RopeLayout;
import dev.mixtral.format.TokenizerSource;
import dev.mixtral.format.gguf.GgufLayout;
import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.quantize.TypeRules.Choice;
import dev.mixtral.quantize.TypeRules.Role;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import dev.mixtral.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Everything about the file to be made but the encoded weights.
///
/// @param layout the file
/// @param tensors in file order
record QuantizePlan(GgufLayout layout, List<PlannedTensor> tensors) {
    private static final int QUANTIZATION_VERSION = 2;

    /// A tensor to make.
    ///
    /// @param sources one matrix, or those of all experts
    /// @param headDim 0, or the width of the heads whose rows have to be interleaved
    /// @param offset place in the file
    record PlannedTensor(Part part, Choice choice, List<Tensor> sources, int headDim, long offset) {
        /// Returns the bytes of one of its matrices.
        long unitBytes() {
            return choice.type().byteSize(sources.getFirst().numElements());
        }

        /// Returns the row of the source that becomes row `row`: heads of Hugging Face's layout have the partners of
        /// a rotation half a head apart, those of GGUF side by side.
        int sourceRow(int row) {
            if (headDim == 0) {
                return row;
            }
            int inHead = row % headDim;
            return row - inHead + inHead / 2 + inHead % 2 * (headDim / 2);
        }
    }

    /// @param preset the mix of types; `null` to keep those of the source
    static QuantizePlan of(Checkpoint checkpoint, @Nullable Preset preset, @Nullable ImportanceMatrix importance) {
        MixtralConfig config = checkpoint.config();
        List<Part> parts = MixtralGguf.parts(config, checkpoint.isTied());
        List<Choice> choices = new ArrayList<>();
        List<GgufLayout.Declaration> declarations = new ArrayList<>();
        for (Part part : parts) {
            Choice choice = preset == null
                    ? kept(checkpoint, part)
                    : choose(new TypeRules(preset, config, checkpoint.isTied(), importance != null), part);
            choices.add(choice);
            declarations.add(GgufLayout.Declaration.of(part.name(), choice.type(), part.shape()));
        }
        GgufLayout layout = GgufLayout.of(metadata(checkpoint, preset, importance), declarations);
        List<PlannedTensor> tensors = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            tensors.add(new PlannedTensor(
                    part,
                    choices.get(i),
                    part.weights().stream().map(checkpoint::tensor).toList(),
                    headDim(checkpoint, part),
                    layout.tensors().get(i).offset()));
        }
        return new QuantizePlan(layout, List.copyOf(tensors));
    }

    private static Choice choose(TypeRules rules, Part part) {
        int cols = (int) part.shape()[part.shape().length - 1];
        String weight = part.weights().getFirst();
        return rules.choose(role(weight), layer(weight), cols);
    }

    /// The type of the source; llama.cpp wants norms and routers in F32.
    private static Choice kept(Checkpoint checkpoint, Part part) {
        String weight = part.weights().getFirst();
        Role role = role(weight);
        boolean small = role == Role.NORM || role == Role.ROUTER;
        DType type = small ? DType.F32 : checkpoint.tensor(weight).type();
        return new Choice(type, type);
    }

    static long weightBytes(MixtralConfig config, Preset preset) {
        TypeRules rules = new TypeRules(preset, config, false, false);
        return MixtralGguf.parts(config, false).stream()
                .mapToLong(part -> choose(rules, part)
                        .type()
                        .byteSize(Arrays.stream(part.shape()).reduce(1, (a, b) -> a * b)))
                .sum();
    }

    private static int headDim(Checkpoint checkpoint, Part part) {
        Role role = role(part.weights().getFirst());
        boolean rotated = role == Role.QUERY || role == Role.KEY;
        return rotated && checkpoint.ropeLayout() == RopeLayout.HALF_SPLIT
                ? checkpoint.config().headDim()
                : 0;
    }

    private static Role role(String weight) {
        return switch (weight.substring(weight.lastIndexOf('.') + 1)) {
            case "tok_embeddings" -> Role.EMBEDDING;
            case "output" -> Role.OUTPUT;
            case "wq" -> Role.QUERY;
            case "wk" -> Role.KEY;
            case "wv" -> Role.VALUE;
            case "wo" -> Role.ATTENTION_OUTPUT;
            case "gate" -> Role.ROUTER;
            case "w1", "w3" -> Role.GATE_OR_UP;
            case "w2" -> Role.DOWN;
            default -> Role.NORM;
        };
    }

    /// Returns the number in `layers.3.attention.wq`, or 0 outside of the layers.
    private static int layer(String weight) {
        String[] words = weight.split("\\.", 3);
        return words[0].equals("layers") ? Integer.parseInt(words[1]) : 0;
    }

    private static Map<String, GgufValue> metadata(
            Checkpoint checkpoint, @Nullable Preset preset, @Nullable ImportanceMatrix importance) {
        Map<String, GgufValue> metadata = metadata(checkpoint);
        if (preset == null) {
            metadata.keySet().removeIf(key -> key.startsWith("split."));
            metadata.putIfAbsent("general.file_type", GgufValue.of(plainFileType(checkpoint)));
            return metadata;
        }
        metadata.keySet().removeIf(key -> key.startsWith("split.") || key.startsWith("quantize.imatrix."));
        metadata.put("general.file_type", GgufValue.of(preset.fileType()));
        metadata.put("general.quantization_version", GgufValue.of(QUANTIZATION_VERSION));
        if (importance != null) {
            metadata.put("quantize.imatrix.file", GgufValue.of(importance.source()));
            metadata.put("quantize.imatrix.entries_count", GgufValue.of(importance.size()));
        }
        return metadata;
    }

    /// Returns the file type of a source that is no GGUF file and hence of plain numbers.
    private static int plainFileType(Checkpoint checkpoint) {
        DType type = checkpoint.tensor("output").type();
        return Arrays.stream(Preset.values())
                .filter(preset -> preset.base() == type)
                .findFirst()
                .orElse(Preset.F32)
                .fileType();
    }

    /// Returns the metadata of a GGUF source, or what describes another one, for changes.
    static Map<String, GgufValue> metadata(Checkpoint checkpoint) {
        return checkpoint
                .ggufMetadata()
                .<Map<String, GgufValue>>map(LinkedHashMap::new)
                .orElseGet(() -> describe(checkpoint));
    }

    private static Map<String, GgufValue> describe(Checkpoint checkpoint) {
        MixtralConfig config = checkpoint.config();
        Path name = Path.of(checkpoint.source()).toAbsolutePath().normalize().getFileName();
        Map<String, GgufValue> metadata = MixtralGguf.metadata(name == null ? "model" : name.toString(), config);
        Optional<TokenizerSource> tokenizer = checkpoint.tokenizerSource();
        if (tokenizer.isPresent()) {
            MixtralGguf.putVocabulary(metadata, Tokenizers.ggufVocabulary(tokenizer.get()), config.vocabSize());
        } else {
            MixtralGguf.putNoVocabulary(metadata);
        }
        MixtralGguf.putChatTemplates(metadata, checkpoint.chatTemplates());
        return metadata;
    }
}
