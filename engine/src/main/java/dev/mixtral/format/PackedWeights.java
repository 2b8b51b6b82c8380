package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.gguf.GgufFile;
import dev.mixtral.format.io.Pieces;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.LittleEndian;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/// The matrices of a packed model file: a GGUF file with the metadata of its source, whose matrices are stored as the
/// kernels want them ([PackedMatrix]), under the names of [Checkpoint]; the panels of an expert's gate and up are
/// one matrix, `layers.L.feed_forward.experts.E.gate_up`.
///
/// | key | value |
/// |---|---|
/// | `mixtral.pack.version` | 1 |
/// | `mixtral.pack.rope` | the order of the rows of `wq` and `wk`: a [RopeLayout] |
/// | `mixtral.pack.matrices` | one text per packed matrix: name, [PackedType], rows, columns |
///
/// The tensor `checksums` holds a CRC-32C for each packed matrix, in the order of the list, as 32-bit little-endian
/// numbers.
///
/// @param file the file
/// @param ropeLayout order of the rows of `wq` and `wk`
/// @param matrices packed matrices by name
public record PackedWeights(Path file, RopeLayout ropeLayout, Map<String, Stored> matrices) {
    /// A packed matrix in the file.
    ///
    /// @param matrix in the memory of the mapped file
    /// @param offset where its bytes begin in the file
    /// @param checksum CRC-32C of its bytes
    public record Stored(PackedMatrix matrix, long offset, int checksum) {}

    /// The version that is written, and the only one that is read.
    public static final int VERSION = 1;

    /// Key of the list of matrices.
    public static final String MATRICES_KEY = "mixtral.pack.matrices";

    /// Key of the order of the rows of `wq` and `wk`.
    public static final String ROPE_KEY = "mixtral.pack.rope";

    /// Name of the tensor of checksums.
    public static final String CHECKSUMS = "checksums";

    static boolean is(GgufFile file) {
        return file.metadata().keys().contains(GgufFile.PACK_VERSION_KEY);
    }

    /// Reads the list of matrices; their bytes stay where they are.
    static PackedWeights read(GgufFile file) {
        int version = file.metadata().integer(GgufFile.PACK_VERSION_KEY).orElse(0);
        if (version != VERSION) {
            throw new UnsupportedModelException(file.path() + ": packed files of version " + version
                    + " are not read here, only version " + VERSION + ". Pack the model again.");
        }
        byte[][] list = file.metadata().strings(MATRICES_KEY).orElse(new byte[0][]);
        MemorySegment sums = blob(file, CHECKSUMS, 4L * list.length).bytes();
        Map<String, Stored> matrices = new LinkedHashMap<>();
        for (int i = 0; i < list.length; i++) {
            String line = new String(list[i], StandardCharsets.UTF_8);
            Stored stored = stored(file, line, sums.get(LittleEndian.INT, 4L * i));
            matrices.put(stored.matrix().name(), stored);
        }
        return new PackedWeights(file.path(), ropeLayout(file), matrices);
    }

    private static RopeLayout ropeLayout(GgufFile file) {
        String name = file.metadata().string(ROPE_KEY).orElse("");
        return Arrays.stream(RopeLayout.values())
                .filter(layout -> layout.name().equals(name))
                .findFirst()
                .orElseThrow(() -> broken(
                        file,
                        "`" + ROPE_KEY + "`: one of " + Arrays.toString(RopeLayout.values()) + " expected, got \""
                                + name + "\""));
    }

    private static Stored stored(GgufFile file, String line, int checksum) {
        String[] words = line.split(" ", -1);
        try {
            PackedType type = PackedType.valueOf(words[1]);
            int rows = Integer.parseInt(words[2]);
            int cols = Integer.parseInt(words[3]);
            if (rows < 1 || cols < 1) {
                throw new IllegalArgumentException("a matrix has rows and columns");
            }
            GgufFile.Blob data = blob(file, words[0], PackedMatrix.byteSize(type, rows, cols));
            PackedMatrix matrix = new PackedMatrix(words[0], type, rows, cols, data.bytes());
            return new Stored(matrix, data.offset(), checksum);
        } catch (IllegalArgumentException | ArithmeticException | ArrayIndexOutOfBoundsException e) {
            throw new ModelFormatException(
                    file.path().toString(),
                    "`" + MATRICES_KEY + "`: name, type, rows and columns expected, got \"" + line + "\"",
                    e);
        }
    }

    private static GgufFile.Blob blob(GgufFile file, String name, long bytes) {
        GgufFile.Blob blob = file.blobs().get(name);
        if (blob == null || blob.bytes().byteSize() != bytes) {
            throw broken(
                    file,
                    "packed tensor " + name + ": " + bytes + " bytes expected, got "
                            + (blob == null ? "none" : blob.bytes().byteSize()));
        }
        return blob;
    }

    private static ModelFormatException broken(GgufFile file, String problem) {
        return new ModelFormatException(file.path(), problem);
    }

    /// Returns the two tensors that a configuration is checked with, under the names of GGUF.
    List<Tensor> namedAsInGguf(GgufFile file) {
        List<Tensor> named = new ArrayList<>();
        for (Tensor tensor : file.tensors()) {
            if (tensor.name().equals("tok_embeddings")) {
                named.add(renamed(tensor, "token_embd.weight"));
                if (matrices.containsKey("output")) {
                    // Packed matrices are no tensors: any one tells that the output is not tied.
                    named.add(renamed(tensor, "output.weight"));
                }
            } else if (tensor.name().equals("output")) {
                named.add(renamed(tensor, "output.weight"));
            }
        }
        return named;
    }

    private static Tensor renamed(Tensor tensor, String name) {
        return new Tensor(name, tensor.type(), tensor.shape(), tensor.data());
    }

    /// Checks that everything the architecture needs is there in the right shape, packed or not.
    ///
    /// @return the tensors that are not packed, by canonical name
    Map<String, Tensor> resolve(GgufFile file, MixtralConfig config, boolean tied) {
        Map<String, Tensor> plain = new LinkedHashMap<>();
        file.tensors().forEach(tensor -> plain.put(tensor.name(), tensor));
        // One after the other: a damaged header may ask for more layers than a list could hold.
        Consumer<Required> check = needed -> check(file, plain, needed);
        check.accept(new Required("tok_embeddings", config.vocabSize(), config.dim()));
        check.accept(new Required("norm", config.dim()));
        for (int l = 0; l < config.numLayers(); l++) {
            checkLayer(file, check, config, "layers." + l + ".");
        }
        if (tied && !matrices.containsKey("output")) {
            plain.put("output", require(file, plain, new Required("tok_embeddings", config.vocabSize(), config.dim())));
        }
        check.accept(new Required("output", config.vocabSize(), config.dim()));
        return plain;
    }

    private void checkLayer(GgufFile file, Consumer<Required> check, MixtralConfig config, String layer) {
        check.accept(new Required(layer + "attention_norm", config.dim()));
        check.accept(new Required(layer + "attention.wq", config.queryDim(), config.dim()));
        check.accept(new Required(layer + "attention.wk", config.kvDim(), config.dim()));
        check.accept(new Required(layer + "attention.wv", config.kvDim(), config.dim()));
        check.accept(new Required(layer + "attention.wo", config.dim(), config.queryDim()));
        check.accept(new Required(layer + "ffn_norm", config.dim()));
        if (!config.isDense()) {
            check.accept(new Required(layer + "feed_forward.gate", config.numExperts(), config.dim()));
        }
        for (int e = 0; e < config.numExperts(); e++) {
            String expert = layer + "feed_forward.experts." + e + ".";
            if (matrices.containsKey(expert + "gate_up")) {
                check.accept(new Required(expert + "gate_up", 2L * config.ffnDim(), config.dim()));
                if (!matrices.containsKey(expert + "w2")) {
                    throw broken(file, "matrix " + expert + "w2 is not packed, although " + expert + "gate_up is");
                }
            } else {
                check.accept(new Required(expert + "w1", config.ffnDim(), config.dim()));
                check.accept(new Required(expert + "w3", config.ffnDim(), config.dim()));
            }
            check.accept(new Required(expert + "w2", config.dim(), config.ffnDim()));
        }
    }

    private void check(GgufFile file, Map<String, Tensor> plain, Required needed) {
        Stored packed = matrices.get(needed.name);
        if (packed == null) {
            require(file, plain, needed);
            return;
        }
        long[] shape = {packed.matrix().rows(), packed.matrix().cols()};
        if (!Arrays.equals(shape, needed.shape)) {
            throw broken(file, needed + " expected from the configuration, got " + Arrays.toString(shape));
        }
    }

    private static Tensor require(GgufFile file, Map<String, Tensor> plain, Required needed) {
        Tensor tensor = plain.get(needed.name);
        if (tensor == null) {
            throw broken(file, needed + " is missing");
        }
        if (!Arrays.equals(tensor.shape(), needed.shape)) {
            throw broken(file, needed + " expected from the configuration, got " + Arrays.toString(tensor.shape()));
        }
        if (needed.shape.length == 1 && tensor.type() != DType.F32) {
            throw broken(file, "tensor " + needed.name + ": F32 expected, got " + tensor.type());
        }
        return tensor;
    }

    /// Returns the checksum of a matrix's bytes.
    public static int checksum(MemorySegment bytes) {
        CRC32C sum = new CRC32C();
        Pieces.of(bytes).forEach(sum::update);
        return (int) sum.getValue();
    }

    /// Returns a packed matrix; empty if it is stored plainly.
    public Optional<Stored> matrix(String name) {
        return Optional.ofNullable(matrices.get(name));
    }

    /// Checks the bytes of a matrix, wherever they have been copied to.
    ///
    /// @throws ModelFormatException if they are not what was written
    public void verify(Stored stored, MemorySegment copy) {
        int actual = checksum(copy);
        if (stored.checksum() != actual) {
            throw new ModelFormatException(
                    file,
                    "matrix " + stored.matrix().name()
                            + " has checksum %08x, %08x expected: the file is damaged. Copy it again, or"
                                    .formatted(actual, stored.checksum())
                            + " pack the model again");
        }
    }

    /// A tensor that the architecture needs.
    private record Required(String name, long... shape) {
        @Override
        public String toString() {
            return "tensor " + name + " " + Arrays.toString(shape);
        }
    }
}
