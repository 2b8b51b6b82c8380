package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.cross_entropy_loss;
import static org.bytedeco.pytorch.global.torch.embedding;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/// Gradients by one autograd graph over the whole model: the fastest way where its activations fit the memory.
public final class WholeGraphPass implements GradientPass {
    private final TorchMixtral model;
    private final double balanceWeight;
    private final double zWeight;

    /// @param balanceWeight weight of the load-balancing loss
    /// @param zWeight weight of the router z-loss; 0 leaves it out
    public WholeGraphPass(TorchMixtral model, double balanceWeight, double zWeight) {
        this.model = model;
        this.balanceWeight = balanceWeight;
        this.zWeight = zWeight;
    }

    @Override
    public FlatParameters parameters() {
        return model.weights().trainable();
    }

    @Override
    public WholeGraphPass replica() {
        return new WholeGraphPass(model.replica(), balanceWeight, zWeight);
    }

    @Override
    public BatchResult backward(Batch batch, Share share) {
        try (var _ = new PointerScope()) {
            model.weights().noise(share.seed());
            TorchMixtral.Output output = model.forward(batch);
            Tensor crossEntropy = weightedLoss(model, output.states(), batch).mul(new Scalar(1 / share.totalWeight()));
            output.routers()
                    .addTo(crossEntropy, balanceWeight * share.auxiliary(), zWeight * share.auxiliary())
                    .backward();
            return new BatchResult(crossEntropy.item_double(), output.routers().counts());
        }
    }

    @Override
    public BatchResult evaluate(Batch batch) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            model.weights().noise(0);
            TorchMixtral.Output output = model.forward(batch);
            double loss = weightedLoss(model, output.states(), batch).item_double();
            return new BatchResult(loss, output.routers().counts());
        }
    }

    /// Returns the sum of the weighted losses, a scalar in the autograd graph.
    ///
    /// @param states `[N, dim]`, of all positions of the batch
    static Tensor weightedLoss(TorchMixtral model, Tensor states, Batch batch) {
        Batch.Counted counted = batch.counted();
        Tensor chosen = embedding(states, Tensor.create(counted.positions()));
        Tensor losses = tokenLosses(model.logits(chosen), counted.targets());
        return losses.mul(Tensor.create(counted.weights())).sum();
    }

    /// Returns the negative log-likelihood of each target, in nats.
    static Tensor tokenLosses(Tensor logits, long[] targets) {
        int noReduction = 0;
        int ignoreNone = -100;
        return cross_entropy_loss(logits, Tensor.create(targets), new TensorOptional(), noReduction, ignoreNone, 0.0);
    }
}
