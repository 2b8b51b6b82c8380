package dev.mixtral.benchmarks;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.FloatMatrix;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.TearDown;

/// Attention of one token to all positions before it, over all KV heads of one layer of Mixtral 8x7B.
public class AttentionBenchmark extends KernelBenchmark {
    private static final int HEAD_DIM = 128;
    private static final int KV_HEADS = 8;

    /// Layers of the cache, visited in turns, so that keys and values come from memory as they do in a model.
    private static final int LAYERS = 4;

    /// How keys and values are stored.
    @Param
    public KvType kv = KvType.F16;

    /// Positions attended to.
    @Param({"512", "4096", "16384"})
    public int depth;

    private final FloatMatrix query = Operands.floats(1, Operands.DIM);
    private final FloatMatrix out = new FloatMatrix(1, Operands.DIM);
    private KvLayout layout = new KvLayout(LAYERS, KV_HEADS, HEAD_DIM, KvType.F16);
    private KvCache cache = new KvCache(layout);
    private int turn;

    @Override
    void makeOperands(Kernels kernels, Arena arena) {
        layout = new KvLayout(LAYERS, KV_HEADS, HEAD_DIM, kv);
        cache = new KvCache(layout);
        cache.ensureCapacity(depth);
        FloatMatrix keys = Operands.floats(16, KV_HEADS * HEAD_DIM);
        for (int position = 0; position < depth; position++) {
            for (int layer = 0; layer < LAYERS; layer++) {
                cache.write(layer, position, keys, keys, position % keys.numRows());
            }
        }
        cache.setNumComputedTokens(depth);
    }

    /// Lets go of the cache, which owns its memory.
    @TearDown(Level.Trial)
    public void closeCache() {
        cache.close();
    }

    /// One layer's attention.
    @Benchmark
    public FloatMatrix attention(Work work) {
        int layer = turn++ % LAYERS;
        for (int kvHead = 0; kvHead < KV_HEADS; kvHead++) {
            kernels().attention(query, 0, 1, cache, layer, kvHead, depth - 1, out, scratch());
        }
        work.bytes += layout.bytesPerToken() / LAYERS * depth;
        // Each query head meets every key and every value.
        work.macs += 2L * Operands.DIM * depth;
        return out;
    }
}
