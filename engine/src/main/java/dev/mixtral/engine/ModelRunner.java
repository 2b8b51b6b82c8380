package dev.mixtral.engine;

import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvStorage;
import dev.mixtral.model.Adapter;
import dev.mixtral.model.Batch;
import dev.mixtral.model.Mixtral;
import dev.mixtral.model.RoutingObserver;
import dev.mixtral.scheduler.SchedulerOutput;
import dev.mixtral.scheduler.SchedulerOutput.BlockCopy;
import dev.mixtral.scheduler.SchedulerOutput.Chunk;
import dev.mixtral.scheduler.SchedulerRequest;
import dev.mixtral.tensor.FloatMatrix;
import java.util.Arrays;
import java.util.List;

/// Turns block numbers into memory and chunks into a batch of the model. Confined to the engine's thread.
///
/// @param model the model
/// @param storage the memory of the blocks
record ModelRunner(Mixtral model, KvStorage storage) implements StepRunner {
    @Override
    public FloatMatrix run(SchedulerOutput output, List<Sequence> sequences) {
        for (BlockCopy copy : output.copies()) {
            storage.copy(copy.from(), copy.to());
        }
        int numRows = output.numTokens();
        boolean adapted = sequences.stream().anyMatch(sequence -> sequence.adapter() != null);
        var batch = new Batch(
                new int[numRows],
                new int[numRows],
                new KvCache[numRows],
                new boolean[numRows],
                new Adapter[adapted ? numRows : 0]);
        int row = 0;
        for (int i = 0; i < sequences.size(); i++) {
            Chunk chunk = output.chunks().get(i);
            mapBlocks(chunk, sequences.get(i).cache());
            fill(batch, row, chunk, sequences.get(i).cache());
            if (adapted) {
                Arrays.fill(
                        batch.adapters(),
                        row,
                        row + chunk.numTokens(),
                        sequences.get(i).adapter());
            }
            row += chunk.numTokens();
        }
        if (sequences.stream().noneMatch(Sequence::wantsRouting)) {
            return model.forward(batch);
        }
        Routing routing =
                new Routing(numRows, model.config().numLayers(), model.config().numExpertsPerToken());
        FloatMatrix logits = model.forward(batch, routing);
        routing.report(output, sequences);
        return logits;
    }

    private static void mapBlocks(Chunk chunk, KvCache cache) {
        SchedulerRequest request = chunk.request();
        if (chunk.hasNewBlocks()) {
            cache.clearBlocks();
        }
        while (cache.numBlocks() < request.numBlocks()) {
            cache.appendBlock(request.block(cache.numBlocks()));
        }
        cache.setNumComputedTokens(chunk.firstPosition());
    }

    private static void fill(Batch batch, int firstRow, Chunk chunk, KvCache cache) {
        for (int i = 0; i < chunk.numTokens(); i++) {
            int position = chunk.firstPosition() + i;
            batch.tokens()[firstRow + i] = chunk.request().token(position);
            batch.positions()[firstRow + i] = position;
            batch.caches()[firstRow + i] = cache;
        }
        batch.wantsLogits()[firstRow + chunk.numTokens() - 1] = chunk.samples();
    }

    /// The experts of every row of one pass.
    private static final class Routing implements RoutingObserver {
        private final int numExpertsPerToken;
        private final int[][] experts;
        private final float[][] weights;

        Routing(int numRows, int numLayers, int numExpertsPerToken) {
            this.numExpertsPerToken = numExpertsPerToken;
            this.experts = new int[numRows][numLayers * numExpertsPerToken];
            this.weights = new float[numRows][numLayers * numExpertsPerToken];
        }

        @Override
        public void routed(int layer, int row, int rank, int expert, float weight) {
            experts[row][layer * numExpertsPerToken + rank] = expert;
            weights[row][layer * numExpertsPerToken + rank] = weight;
        }

        void report(SchedulerOutput output, List<Sequence> sequences) {
            int row = 0;
            for (int i = 0; i < sequences.size(); i++) {
                Chunk chunk = output.chunks().get(i);
                for (int t = 0; t < chunk.numTokens(); t++, row++) {
                    if (sequences.get(i).wantsRouting()) {
                        sequences.get(i).routed(chunk.firstPosition() + t, experts[row], weights[row]);
                    }
                }
            }
        }
    }
}
