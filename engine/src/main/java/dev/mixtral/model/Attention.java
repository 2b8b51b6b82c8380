package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.AttentionParts;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.tensor.FloatMatrix;
import org.jspecify.annotations.Nullable;

/// Causal self-attention with grouped key/value heads (arXiv 2305.13245) and rotary positions. Holds no state of a
/// sequence: that is in the caches of the batch.
final class Attention {
    private final MixtralWeights.Layer weights;
    private final int layer;
    private final int numKvHeads;
    private final int headsPerKvHead;
    private final int headDim;
    private final Compute compute;
    private final Rope rope;

    Attention(MixtralConfig config, MixtralWeights.Layer weights, int layer, Compute compute, Rope rope) {
        this.weights = weights;
        this.layer = layer;
        this.numKvHeads = config.numKvHeads();
        this.headsPerKvHead = config.numHeads() / config.numKvHeads();
        this.headDim = config.headDim();
        this.compute = compute;
        this.rope = rope;
    }

    /// Reads `workspace.normed`, extends the caches of the batch by this layer's keys and values, leaves the
    /// sub-layer's output in `workspace.projected`, and runs `then` for each row. Three phases.
    void forward(Batch batch, Workspace workspace, Compute.RowTask then) {
        AdapterRows adapters = workspace.adapters;
        Linear[] matrices = {weights.wq(), weights.wk(), weights.wv()};
        FloatMatrix[] products = {workspace.q, workspace.k, workspace.v};
        compute.matmul(
                matrices,
                workspace.normed,
                batch.size(),
                products,
                matrices.length * adapters.runs().size(),
                (task, scratch) -> shrink(workspace, task / 3, task % 3, scratch),
                (row, _) -> {
                    expand(workspace, row);
                    rope.rotate(workspace.q, row);
                    rope.rotate(workspace.k, row);
                    batch.caches()[row].write(layer, batch.positions()[row], workspace.k, workspace.v, row);
                });
        compute.team().run(workspace.attentionPlan.numPieces() * numKvHeads, (task, scratch) -> {
            attend(batch, workspace, task / numKvHeads, task % numKvHeads, scratch);
        });
        compute.matmul(
                weights.wo(),
                workspace.attended,
                batch.size(),
                workspace.projected,
                adapters.runs().size(),
                (task, scratch) -> shrinkOutput(workspace, task, scratch),
                (row, scratch) -> {
                    Adapter adapter = adapters.of(row);
                    if (adapter != null) {
                        adapters.expand(
                                compute.kernels(), adapter.attentionOutput(layer), 0, row, workspace.projected, row);
                    }
                    then.run(row, scratch);
                });
    }

    /// @param matrix 0 for queries, 1 for keys, 2 for values
    private void shrink(Workspace workspace, int run, int matrix, Scratch scratch) {
        Adapter adapter = workspace.adapters.runs().adapter(run);
        LowRank lowRank = switch (matrix) {
            case 0 -> adapter.query(layer);
            case 1 -> adapter.key(layer);
            default -> adapter.value(layer);
        };
        shrink(workspace, lowRank, workspace.normed.floats(), matrix, run, scratch);
    }

    private void shrink(
            Workspace workspace, @Nullable LowRank matrix, FloatMatrix x, int product, int run, Scratch scratch) {
        AdapterRuns runs = workspace.adapters.runs();
        workspace.adapters.shrink(
                compute.kernels(), matrix, x, product, runs.firstRow(run), runs.numRows(run), scratch);
    }

    private void expand(Workspace workspace, int row) {
        Adapter adapter = workspace.adapters.of(row);
        if (adapter != null) {
            workspace.adapters.expand(compute.kernels(), adapter.query(layer), 0, row, workspace.q, row);
            workspace.adapters.expand(compute.kernels(), adapter.key(layer), 1, row, workspace.k, row);
            workspace.adapters.expand(compute.kernels(), adapter.value(layer), 2, row, workspace.v, row);
        }
    }

    private void shrinkOutput(Workspace workspace, int run, Scratch scratch) {
        LowRank matrix = workspace.adapters.runs().adapter(run).attentionOutput(layer);
        shrink(workspace, matrix, workspace.attended.floats(), 0, run, scratch);
    }

    private void attend(Batch batch, Workspace workspace, int piece, int kvHead, Scratch scratch) {
        AttentionPlan plan = workspace.attentionPlan;
        int row = plan.firstRow(piece);
        int position = batch.positions()[row];
        KvCache cache = batch.caches()[row];
        FloatMatrix out = workspace.attended.floats();
        if (plan.piecesOfRow(row) == 1) {
            int numRows = plan.numRows(piece);
            compute.kernels().attention(workspace.q, row, numRows, cache, layer, kvHead, position, out, scratch);
            for (int i = row; i < row + numRows; i++) {
                endHead(workspace, i);
            }
            return;
        }
        int numChunks = AttentionParts.numChunks(position + 1);
        int partSize = AttentionParts.size(headsPerKvHead, headDim);
        int firstPart = plan.firstPart(row, kvHead, numChunks) * partSize;
        int from = plan.fromChunk(piece);
        float[] parts = workspace.attentionParts;
        compute.kernels()
                .attentionParts(
                        workspace.q,
                        row,
                        cache,
                        layer,
                        kvHead,
                        position,
                        from,
                        plan.toChunk(piece),
                        parts,
                        firstPart + from * partSize,
                        scratch);
        if (workspace.piecesToDo.decrementAndGet(row * numKvHeads + kvHead) == 0) {
            workspace.piecesToDo.set(row * numKvHeads + kvHead, plan.piecesOfRow(row));
            int outAt = out.offset(row) + kvHead * headsPerKvHead * headDim;
            AttentionParts.join(parts, firstPart, numChunks, headsPerKvHead, headDim, out.data(), outAt);
            endHead(workspace, row);
        }
    }

    /// Whoever ends the last KV head of a row quantises it.
    private void endHead(Workspace workspace, int row) {
        if (workspace.headsToDo.decrementAndGet(row) == 0) {
            // For the next layer.
            workspace.headsToDo.set(row, numKvHeads);
            workspace.attended.quantize(compute.kernels(), row);
        }
    }
}
