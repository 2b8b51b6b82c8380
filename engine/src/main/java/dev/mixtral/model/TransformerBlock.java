package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import org.jspecify.annotations.Nullable;

/// One layer: `x += attention(norm(x)); x += moe(norm(x))`, in five phases of the thread team: queries, keys and
/// values | attention | its output, router | gate and up | down.
final class TransformerBlock {
    private final MixtralWeights.Layer weights;
    private final float @Nullable [] nextNorm;
    private final float normEps;
    private final Compute compute;
    private final Attention attention;
    private final SparseMoe moe;

    /// @param nextNorm the attention norm of the next layer; `null` for the last
    TransformerBlock(
            MixtralConfig config,
            MixtralWeights.Layer weights,
            float @Nullable [] nextNorm,
            int layer,
            Compute compute,
            Rope rope) {
        this.weights = weights;
        this.nextNorm = nextNorm;
        this.normEps = config.normEps();
        this.compute = compute;
        this.attention = new Attention(config, weights, layer, compute, rope);
        this.moe = new SparseMoe(config, weights, layer, compute);
    }

    /// Makes a row of `workspace.x` ready for this layer, if it is the first.
    void begin(Workspace workspace, int row) {
        normalize(workspace, row, weights.attentionNorm());
    }

    /// Advances `workspace.x` by this layer. Reads `workspace.normed`, and leaves there what the next layer reads.
    void forward(Batch batch, Workspace workspace, @Nullable RoutingObserver observer) {
        attention.forward(batch, workspace, (row, scratch) -> {
            compute.kernels().addScaled(workspace.x, row, 1, workspace.projected, row);
            normalize(workspace, row, weights.ffnNorm());
            moe.route(workspace, row, scratch);
        });
        moe.forward(batch.size(), workspace, observer, (row, _) -> {
            if (nextNorm != null) {
                normalize(workspace, row, nextNorm);
            }
        });
    }

    private void normalize(Workspace workspace, int row, float[] weight) {
        compute.kernels().rmsNorm(workspace.x, row, weight, normEps, workspace.normed.floats());
        workspace.normed.quantize(compute.kernels(), row);
    }
}
