package dev.mixtral.format;

import dev.mixtral.format.gguf.GgufValue;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A checkpoint over mapped files.
///
/// @param arena owns the mappings
/// @param weights by canonical name
/// @param packedWeights the others, in a packed file
record MappedCheckpoint(
        String source,
        Arena arena,
        MixtralConfig config,
        RopeLayout ropeLayout,
        Map<String, Tensor> weights,
        Optional<PackedWeights> packedWeights,
        List<StoredTensor> tensors,
        Map<String, String> metadata,
        Optional<Map<String, GgufValue>> ggufMetadata,
        Optional<TokenizerSource> tokenizerSource,
        List<NamedTemplate> chatTemplates,
        List<Integer> eosTokenIds)
        implements Checkpoint {

    @Override
    public Tensor tensor(String name) {
        Tensor tensor = weights.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(source + " has no tensor " + name);
        }
        return tensor;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    @Override
    public String toString() {
        return source;
    }
}
