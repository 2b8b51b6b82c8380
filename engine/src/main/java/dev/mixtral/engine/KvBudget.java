package dev.mixtral.engine;

import com.sun.management.OperatingSystemMXBean;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

/// How keys and values are stored, and how many blocks there are.
///
/// @param layout where things lie in a block
/// @param numBlocks blocks that all sequences share
/// @param contextLength positions that a sequence may have
record KvBudget(KvLayout layout, int numBlocks, int contextLength) {
    private static final long EXACT_CACHE_BYTES = 512L << 20;

    /// Decides for a model on this machine.
    ///
    /// @throws InvalidRequestException if the settings contradict the model or each other
    static KvBudget of(Checkpoint checkpoint, EngineConfig config) {
        MixtralConfig model = checkpoint.config();
        int contextLength = contextLength(model, config.contextLength());
        KvType type = kvType(model, contextLength, config.kvType());
        KvLayout layout = new KvLayout(model.numLayers(), model.numKvHeads(), model.headDim(), type);
        return new KvBudget(layout, numBlocks(checkpoint, config, layout, contextLength), contextLength);
    }

    private static int contextLength(MixtralConfig model, int asked) {
        if (asked > model.contextLength()) {
            throw new InvalidRequestException(
                    "contextLength",
                    "a context of " + asked + " was asked for, but the model was trained for " + model.contextLength()
                            + " positions");
        }
        return asked == 0 ? model.contextLength() : asked;
    }

    private static KvType kvType(MixtralConfig model, int contextLength, @Nullable KvType asked) {
        if (asked != null) {
            return asked;
        }
        var exact = new KvLayout(model.numLayers(), model.numKvHeads(), model.headDim(), KvType.F32);
        return exact.bytesPerToken() * contextLength <= EXACT_CACHE_BYTES ? KvType.F32 : KvType.F16;
    }

    private static int numBlocks(Checkpoint checkpoint, EngineConfig config, KvLayout layout, int contextLength) {
        int asked = config.kvCacheTokens();
        if (asked > 0 && asked < contextLength) {
            throw new InvalidRequestException(
                    "kvCacheTokens",
                    "a KV cache of " + asked + " tokens does not hold one sequence of " + contextLength
                            + ". Make it larger, or the context smaller.");
        }
        long tokens = asked;
        if (asked == 0) {
            long wanted = (long) config.maxNumSeqs() * contextLength;
            tokens = Math.max(contextLength, Math.min(wanted, availableBytes(checkpoint) / layout.bytesPerToken()));
        }
        long blocks = (tokens + KvLayout.BLOCK_SIZE - 1) / KvLayout.BLOCK_SIZE;
        return (int) Math.min(blocks, Integer.MAX_VALUE / KvLayout.BLOCK_SIZE);
    }

    /// Returns half of the memory that weights and heap leave. What other programs use now says little about later, so
    /// the result only depends on machine, model and JVM options.
    private static long availableBytes(Checkpoint checkpoint) {
        long weights = 0;
        for (StoredTensor stored : checkpoint.tensors()) {
            weights += stored.tensor().data().byteSize();
        }
        long total =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
        return Math.max(0, (total - weights - Runtime.getRuntime().maxMemory()) / 2);
    }
}
