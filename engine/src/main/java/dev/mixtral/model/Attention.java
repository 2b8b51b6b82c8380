package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.tensor.FloatMatrix;

/// Causal self-attention with grouped key/value heads (arXiv 2305.13245) and rotary positions. Holds no state of a
/// sequence: that is in the caches of the batch.
final class Attention {
    private final MixtralWeights.Layer weights;
    private final int layer;
    private final int numKvHeads;
    private final Compute compute;
    private final Rope rope;

    Attention(MixtralConfig config, MixtralWeights.Layer weights, int layer, Compute compute, Rope rope) {
        this.weights = weights;
        this.layer = layer;
        this.numKvHeads = config.numKvHeads();
        this.compute = compute;
        this.rope = rope;
    }

    /// Reads `workspace.normed`, extends the caches of the batch by this layer's keys and values, and leaves the
    /// sub-layer's output in `workspace.projected`.
    void forward(Batch batch, Workspace workspace) {
        int numRows = batch.size();
        compute.matmul(
                new Linear[] {weights.wq(), weights.wk(), weights.wv()}, workspace.normed, numRows, new FloatMatrix[] {
                    workspace.q, workspace.k, workspace.v
                });
        compute.forRows(numRows, (row, _) -> {
            rope.rotate(workspace.q, row);
            rope.rotate(workspace.k, row);
            batch.caches()[row].write(layer, batch.positions()[row], workspace.k, workspace.v, row);
        });
        compute.team().run(numRows * numKvHeads, (task, scratch) -> {
            int row = task / numKvHeads;
            KvCache cache = batch.caches()[row];
            int numPositions = batch.positions()[row] + 1;
            compute.kernels()
                    .attention(
                            workspace.q,
                            row,
                            cache,
                            layer,
                            task % numKvHeads,
                            numPositions,
                            workspace.attended.floats(),
                            scratch);
        });
        compute.forRows(numRows, (row, _) -> workspace.attended.quantize(compute.kernels(), row));
        compute.matmul(weights.wo(), workspace.attended, numRows, workspace.projected);
    }
}
