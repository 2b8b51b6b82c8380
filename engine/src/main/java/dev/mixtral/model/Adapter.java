package dev.mixtral.model;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MatrixRows;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.lora.LoraDelta;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A low-rank adapter (LoRA, arXiv 2106.09685) of a loaded model, applied to the rows that ask for it. Immutable.
///
/// Its memory is given back when nothing refers to it any more: to forget an adapter is safe while rows use it.
public final class Adapter {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final List<String> OF_LAYER =
            List.of("attention.wq", "attention.wk", "attention.wv", "attention.wo", "feed_forward.gate");
    private static final List<String> OF_EXPERT = List.of(".w1", ".w2", ".w3");
    private static final long ALIGNMENT = 64;

    private final int perLayer;

    /// Of each layer those of [#OF_LAYER], then for each expert those of [#OF_EXPERT]; last, the output matrix.
    private final @Nullable LowRank[] matrices;

    private final byte[] digest;
    private final int maxRank;

    private Adapter(int perLayer, @Nullable LowRank[] matrices, byte[] digest) {
        this.perLayer = perLayer;
        this.matrices = matrices;
        this.digest = digest;
        int max = 0;
        for (LowRank matrix : matrices) {
            max = Math.max(max, matrix == null ? 0 : matrix.rank());
        }
        this.maxRank = max;
    }

    /// Prepares an adapter.
    ///
    /// @param deltas fitted to the checkpoint's architecture and order of rows
    /// @param checkpoint the model's; with DoRA all matrices that the adapter changes are read
    public static Adapter of(LoraDeltas deltas, Checkpoint checkpoint) {
        MixtralConfig config = checkpoint.config();
        int perLayer = OF_LAYER.size() + config.numExperts() * OF_EXPERT.size();
        @Nullable LowRank[] matrices = new LowRank[config.numLayers() * perLayer + 1];
        Preparation preparation = new Preparation(deltas, checkpoint);
        for (int l = 0; l < config.numLayers(); l++) {
            String layer = "layers." + l + ".";
            int at = l * perLayer;
            for (String name : OF_LAYER) {
                matrices[at++] = preparation.matrix(layer + name);
            }
            for (int e = 0; e < config.numExperts(); e++) {
                for (String name : OF_EXPERT) {
                    matrices[at++] = preparation.matrix(layer + "feed_forward.experts." + e + name);
                }
            }
        }
        matrices[matrices.length - 1] = preparation.matrix("output");
        return new Adapter(perLayer, matrices, deltas.digest().clone());
    }

    /// Returns 32 bytes that two adapters share only if they do the same.
    public byte[] digest() {
        return digest.clone();
    }

    /// Returns the largest rank.
    int maxRank() {
        return maxRank;
    }

    @Nullable
    LowRank query(int layer) {
        return matrices[layer * perLayer];
    }

    @Nullable
    LowRank key(int layer) {
        return matrices[layer * perLayer + 1];
    }

    @Nullable
    LowRank value(int layer) {
        return matrices[layer * perLayer + 2];
    }

    @Nullable
    LowRank attentionOutput(int layer) {
        return matrices[layer * perLayer + 3];
    }

    @Nullable
    LowRank router(int layer) {
        return matrices[layer * perLayer + 4];
    }

    @Nullable
    LowRank w1(int layer, int expert) {
        return matrices[layer * perLayer + OF_LAYER.size() + expert * OF_EXPERT.size()];
    }

    @Nullable
    LowRank w2(int layer, int expert) {
        return matrices[layer * perLayer + OF_LAYER.size() + expert * OF_EXPERT.size() + 1];
    }

    @Nullable
    LowRank w3(int layer, int expert) {
        return matrices[layer * perLayer + OF_LAYER.size() + expert * OF_EXPERT.size() + 2];
    }

    @Nullable
    LowRank output() {
        return matrices[matrices.length - 1];
    }

    /// Returns whether the adapter changes an expert.
    boolean changes(int layer, int expert) {
        return w1(layer, expert) != null || w2(layer, expert) != null || w3(layer, expert) != null;
    }

    /// Makes the matrices of one adapter.
    private static final class Preparation {
        private final LoraDeltas deltas;
        private final Checkpoint checkpoint;

        /// The garbage collector knows when the last sequence that uses the memory is gone. Counting users would have
        /// to survive every way in which a request can end.
        private final Arena arena = Arena.ofAuto();

        Preparation(LoraDeltas deltas, Checkpoint checkpoint) {
            this.deltas = deltas;
            this.checkpoint = checkpoint;
        }

        @Nullable
        LowRank matrix(String weight) {
            LoraDelta delta = deltas.of(weight);
            if (delta == null) {
                return null;
            }
            int rank = delta.rank();
            MemorySegment memory = arena.allocate((long) delta.a().length * Float.BYTES, ALIGNMENT);
            MemorySegment.copy(delta.a(), 0, memory, FLOAT, 0, delta.a().length);
            Tensor a = new Tensor(weight + ".lora_a", DType.F32, new long[] {rank, delta.in()}, memory);
            float[] b = new float[delta.b().length];
            for (int row = 0; row < delta.out(); row++) {
                for (int k = 0; k < rank; k++) {
                    b[k * delta.out() + row] = delta.b()[row * rank + k];
                }
            }
            return new LowRank(a, b, delta.magnitude() == null ? null : outputScale(weight, delta));
        }

        private float[] outputScale(String weight, LoraDelta delta) {
            MatrixRows base = MatrixRows.of(checkpoint, weight);
            float[] scale = new float[delta.out()];
            float[] row = new float[delta.in()];
            for (int r = 0; r < scale.length; r++) {
                base.read(r, row);
                scale[r] = delta.outputScale(r, row);
            }
            return scale;
        }
    }
}
