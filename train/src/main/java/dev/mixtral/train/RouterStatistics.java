package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.logsumexp;

import dev.mixtral.format.MixtralConfig;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// What the routers of one forward pass did: how often each expert was chosen, and the losses that keep them useful.
///
/// The load-balancing loss of a layer is `E * sum_e f_e * p_e` with `f_e` the share of tokens that chose expert `e`
/// and `p_e` its mean probability (Switch Transformers, arXiv 2101.03961, eq. 4); it is `numExpertsPerToken` when
/// perfectly even. The z-loss is the mean squared log-partition of the router (ST-MoE, 2202.08906, eq. 5), which
/// keeps router logits small.
public final class RouterStatistics {
    private final MixtralConfig config;
    private final long[][] counts;
    private @Nullable Tensor balanceLoss;
    private @Nullable Tensor zLoss;

    RouterStatistics(MixtralConfig config) {
        this.config = config;
        this.counts = new long[config.numLayers()][config.numExperts()];
    }

    /// Records one layer.
    ///
    /// @param logits `[N, numExperts]` router logits
    /// @param probabilities their softmax
    /// @param chosen tokens per expert
    void record(int layer, Tensor logits, Tensor probabilities, int[] chosen) {
        long tokens = probabilities.size(0);
        float[] shares = new float[chosen.length];
        for (int expert = 0; expert < chosen.length; expert++) {
            shares[expert] = (float) config.numExperts() * chosen[expert] / tokens;
            counts[layer][expert] += chosen[expert];
        }
        Tensor meanProbability = probabilities.mean(new long[] {0}, false, new ScalarTypeOptional());
        balanceLoss =
                plus(balanceLoss, meanProbability.mul(Tensor.create(shares)).sum());
        zLoss = plus(
                zLoss,
                logsumexp(logits, new long[] {1}, false).pow(new Scalar(2.0)).mean());
    }

    /// Records one layer of a dense model, which has no router.
    void record(int layer, int[] chosen) {
        counts[layer][0] += chosen[0];
    }

    /// Adds the counts, not the losses, of another pass.
    void addCounts(RouterStatistics other) {
        for (int layer = 0; layer < counts.length; layer++) {
            for (int expert = 0; expert < counts[layer].length; expert++) {
                counts[layer][expert] += other.counts[layer][expert];
            }
        }
    }

    /// Adds the losses of the recorded layers, each divided by the number of the model's layers, to a loss.
    ///
    /// @param balanceWeight weight of the load-balancing loss
    /// @param zWeight weight of the z-loss; 0 leaves it out
    /// @return a scalar in the autograd graph
    Tensor addTo(Tensor loss, double balanceWeight, double zWeight) {
        Tensor total = loss;
        if (balanceLoss != null && balanceWeight > 0) {
            total = total.add(balanceLoss.mul(new Scalar(balanceWeight / config.numLayers())));
        }
        if (zLoss != null && zWeight > 0) {
            total = total.add(zLoss.mul(new Scalar(zWeight / config.numLayers())));
        }
        return total;
    }

    /// Returns how many tokens chose each expert, `[numLayers][numExperts]`.
    public long[][] counts() {
        return counts;
    }

    private static Tensor plus(@Nullable Tensor sum, Tensor term) {
        return sum == null ? term : sum.add(term);
    }
}
