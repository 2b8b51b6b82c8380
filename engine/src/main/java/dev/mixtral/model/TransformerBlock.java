package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import org.jspecify.annotations.Nullable;

/// One layer: `x += attention(norm(x)); x += moe(norm(x))`.
final class TransformerBlock {
    private final MixtralWeights.Layer weights;
    private final float normEps;
    private final Compute compute;
    private final Attention attention;
    private final SparseMoe moe;

    TransformerBlock(MixtralConfig config, MixtralWeights.Layer weights, int layer, Compute compute, Rope rope) {
        this.weights = weights;
        this.normEps = config.normEps();
        this.compute = compute;
        this.attention = new Attention(config, weights, layer, compute, rope);
        this.moe = new SparseMoe(config, weights, layer, compute);
    }

    /// Advances `workspace.x` by this layer.
    void forward(Batch batch, Workspace workspace, @Nullable RoutingObserver observer) {
        compute.forRows(batch.size(), (row, _) -> normalize(workspace, row, weights.attentionNorm()));
        attention.forward(batch, workspace);
        compute.forRows(batch.size(), (row, _) -> {
            compute.kernels().addScaled(workspace.x, row, 1, workspace.projected, row);
            normalize(workspace, row, weights.ffnNorm());
        });
        moe.forward(batch.size(), workspace, observer);
    }

    private void normalize(Workspace workspace, int row, float[] weight) {
        compute.kernels().rmsNorm(workspace.x, row, weight, normEps, workspace.normed.floats());
        workspace.normed.quantize(compute.kernels(), row);
    }
}
