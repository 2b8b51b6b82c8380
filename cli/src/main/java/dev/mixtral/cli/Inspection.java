package dev.mixtral.cli;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What `mixtral inspect` tells of a checkpoint, for people and for programs.
final class Inspection {
    private final Checkpoint checkpoint;
    private final MixtralConfig config;
    private final int context;
    private final int batch;
    private final Map<DType, TypeTotal> totals = new EnumMap<>(DType.class);

    /// @param numTensors tensors of one type
    /// @param bytes their bytes in the file
    private record TypeTotal(int numTensors, long bytes) {
        TypeTotal plus(TypeTotal other) {
            return new TypeTotal(numTensors + other.numTensors, bytes + other.bytes);
        }
    }

    /// @param context positions per sequence for the memory estimate
    /// @param batch sequences at once for the memory estimate
    Inspection(Checkpoint checkpoint, int context, int batch) {
        this.checkpoint = checkpoint;
        this.config = checkpoint.config();
        this.context = context;
        this.batch = batch;
        for (StoredTensor stored : checkpoint.tensors()) {
            Tensor tensor = stored.tensor();
            totals.merge(tensor.type(), new TypeTotal(1, tensor.data().byteSize()), TypeTotal::plus);
        }
    }

    private long weightBytes() {
        return totals.values().stream().mapToLong(TypeTotal::bytes).sum();
    }

    private long kvBytes(KvType type) {
        KvLayout layout = new KvLayout(config.numLayers(), config.numKvHeads(), config.headDim(), type);
        return Math.multiplyExact(Math.multiplyExact(layout.bytesPerToken(), (long) context), batch);
    }

    /// Prints the report.
    ///
    /// @param listTensors whether every tensor gets a line
    void print(PrintStream out, boolean listTensors) {
        line(out, "model", checkpoint.source());
        line(out, "architecture", config.numLayers() + " layers, " + experts() + ", SwiGLU, RMSNorm");
        line(
                out,
                "attention",
                config.numHeads() + " query heads share " + config.numKvHeads() + " key/value heads of "
                        + config.headDim() + "; context " + config.contextLength() + ", RoPE base "
                        + String.format(Locale.ROOT, "%.0f", config.ropeTheta()) + " "
                        + checkpoint.ropeLayout().name().toLowerCase(Locale.ROOT));
        line(out, "width", config.dim() + ", vocabulary " + config.vocabSize());
        line(
                out,
                "parameters",
                Sizes.count(config.numParameters()) + " total, " + Sizes.count(config.numActiveParameters())
                        + " active per token");
        totals.forEach((type, total) ->
                line(out, "tensors", total.numTensors() + " of " + type + ", " + Sizes.bytes(total.bytes())));
        line(
                out,
                "memory",
                Sizes.bytes(weightBytes()) + " weights + " + Sizes.bytes(kvBytes(KvType.F16))
                        + " key/value cache in f16 ("
                        + batch + (batch == 1 ? " sequence" : " sequences") + " of " + context + " positions; f32: "
                        + Sizes.bytes(kvBytes(KvType.F32)) + ", q8_0: " + Sizes.bytes(kvBytes(KvType.Q8_0)) + ")");
        line(out, "tokenizer", checkpoint.tokenizerSource().isPresent() ? tokenizerKind() : "none");
        line(out, "templates", checkpoint.chatTemplates().isEmpty() ? "none of its own" : templateNames());
        line(out, "kernels", KernelSelector.select(KernelSelector.AUTO).reason().replaceFirst("^kernels: ", ""));
        if (listTensors) {
            out.println();
            for (StoredTensor stored : checkpoint.tensors()) {
                Tensor tensor = stored.tensor();
                out.println(tensor.name() + "  " + tensor.type() + " " + Arrays.toString(tensor.shape()));
            }
        }
    }

    private static void line(PrintStream out, String what, String value) {
        out.printf(Locale.ROOT, "%-13s %s%n", what, value);
    }

    private String experts() {
        return config.isDense()
                ? "dense feed-forward of " + config.ffnDim()
                : config.numExperts() + " experts of " + config.ffnDim() + ", " + config.numExpertsPerToken()
                        + " per token";
    }

    private String tokenizerKind() {
        return Models.tokenizer(checkpoint).version().name().toLowerCase(Locale.ROOT) + " vocabulary";
    }

    private String templateNames() {
        return String.join(
                ", ",
                checkpoint.chatTemplates().stream()
                        .map(Checkpoint.NamedTemplate::name)
                        .toList());
    }

    /// Returns the report as one object. Sizes are in bytes.
    ObjectNode toJson() {
        ObjectNode root = JsonLines.MAPPER.createObjectNode();
        root.put("source", checkpoint.source());
        root.set("config", JsonLines.MAPPER.valueToTree(config));
        root.put("ropeLayout", checkpoint.ropeLayout().name().toLowerCase(Locale.ROOT));
        root.put("parameters", config.numParameters()).put("activeParameters", config.numActiveParameters());
        ObjectNode types = root.putObject("types");
        totals.forEach((type, total) ->
                types.putObject(type.name()).put("tensors", total.numTensors()).put("bytes", total.bytes()));
        root.putObject("memory")
                .put("context", context)
                .put("batch", batch)
                .put("weightBytes", weightBytes())
                .put("kvCacheF16Bytes", kvBytes(KvType.F16))
                .put("kvCacheF32Bytes", kvBytes(KvType.F32))
                .put("kvCacheQ8_0Bytes", kvBytes(KvType.Q8_0));
        root.put("hasTokenizer", checkpoint.tokenizerSource().isPresent());
        ArrayNode templates = root.putArray("chatTemplates");
        checkpoint.chatTemplates().forEach(template -> templates.add(template.name()));
        root.put("kernels", KernelSelector.select(KernelSelector.AUTO).kernels().name());
        ArrayNode tensors = root.putArray("tensors");
        for (StoredTensor stored : checkpoint.tensors()) {
            ObjectNode tensor = tensors.addObject();
            tensor.put("name", stored.tensor().name())
                    .put("type", stored.tensor().type().name());
            tensor.set("shape", JsonLines.MAPPER.valueToTree(stored.tensor().shape()));
        }
        root.set("metadata", JsonLines.MAPPER.valueToTree(checkpoint.metadata()));
        return root;
    }
}
