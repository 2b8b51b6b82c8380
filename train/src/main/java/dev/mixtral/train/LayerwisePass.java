package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.cat;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/// Gradients layer by layer, for models whose weights do not fit the memory once they are decoded (QLoRA, arXiv
/// 2305.14314).
///
/// The forward pass keeps the input of each layer and what its experts gave, and no graph. The backward pass takes
/// the layers in reverse: it runs attention again with a graph, the router, then one expert after another, so that at
/// any moment no more than the attention weights of one layer and the weights of one expert are decoded. Each weight
/// is decoded twice per batch. A graph that autograd cut where this class cuts it would give the same gradients:
/// [WholeGraphPass] does, which a test compares.
public final class LayerwisePass implements GradientPass {
    private final TorchMixtral model;
    private final double balanceWeight;
    private final double zWeight;

    /// @param model whose weights are frozen but for adapters
    /// @param balanceWeight weight of the load-balancing loss
    /// @param zWeight weight of the router z-loss; 0 leaves it out
    public LayerwisePass(TorchMixtral model, double balanceWeight, double zWeight) {
        this.model = model;
        this.balanceWeight = balanceWeight;
        this.zWeight = zWeight;
    }

    @Override
    public FlatParameters parameters() {
        return model.weights().trainable();
    }

    @Override
    public LayerwisePass replica() {
        return new LayerwisePass(model.replica(), balanceWeight, zWeight);
    }

    @Override
    public BatchResult backward(Batch batch, Share share) {
        try (var _ = new PointerScope()) {
            model.weights().noise(share.seed());
            TorchMixtral.Layout layout = TorchMixtral.Layout.of(batch);
            RouterStatistics statistics = new RouterStatistics(model.config());
            List<Kept> kept = new ArrayList<>();
            Tensor states = forward(batch, layout, statistics, kept);
            Tensor leaf = leaf(states);
            double loss = head(leaf, batch, share);
            Tensor gradient = leaf.grad().detach();
            for (int layer = kept.size() - 1; layer >= 0; layer--) {
                gradient = layerBackward(layer, kept.get(layer), gradient, layout, share);
            }
            return new BatchResult(loss, statistics.counts());
        }
    }

    @Override
    public BatchResult evaluate(Batch batch) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            model.weights().noise(0);
            RouterStatistics statistics = new RouterStatistics(model.config());
            Tensor states = forward(batch, TorchMixtral.Layout.of(batch), statistics, new ArrayList<>());
            double loss = WholeGraphPass.weightedLoss(model, model.finalNorm(states), batch)
                    .item_double();
            return new BatchResult(loss, statistics.counts());
        }
    }

    /// Runs all layers without a graph.
    ///
    /// @param kept gets what the backward pass needs of each layer
    /// @return the states before the last norm
    private Tensor forward(Batch batch, TorchMixtral.Layout layout, RouterStatistics statistics, List<Kept> kept) {
        try (var _ = new NoGradGuard()) {
            model.check(batch.inputs(), layout);
            Tensor x = model.weights().embed(batch.inputs());
            for (int layer = 0; layer < model.config().numLayers(); layer++) {
                Step step = layerForward(x, layer, layout, statistics);
                kept.add(new Kept(x, step.expertOutputs()));
                x = step.output();
            }
            return x;
        }
    }

    private Step layerForward(Tensor x, int layer, TorchMixtral.Layout layout, RouterStatistics statistics) {
        Step step;
        PointerScope outer = PointerScope.getInnerScope();
        try (var _ = new PointerScope()) {
            Tensor middle = attend(x, layer, layout);
            Tensor input = model.feedForwardInput(middle, layer);
            // Of its own: its losses are tensors of this scope.
            RouterStatistics here = new RouterStatistics(model.config());
            TorchMoe.Routing routing = TorchMoe.route(model.weights(), layer, input, here);
            statistics.addCounts(here);
            Tensor outputs = experts(layer, routing, routing.gather(input));
            step = new Step(middle.add(routing.combine(outputs)), outputs);
            outer.attach(step.output());
            outer.attach(step.expertOutputs());
        }
        return step;
    }

    /// Attention without a graph, whose decoded weights are gone when it returns.
    private Tensor attend(Tensor x, int layer, TorchMixtral.Layout layout) {
        PointerScope outer = PointerScope.getInnerScope();
        try (var _ = new PointerScope()) {
            Tensor middle = model.attend(x, layer, layout);
            outer.attach(middle);
            return middle;
        }
    }

    private Tensor experts(int layer, TorchMoe.Routing routing, Tensor grouped) {
        TensorVector inputs = routing.split(grouped);
        TensorVector outputs = new TensorVector();
        for (int expert = 0; expert < routing.counts().length; expert++) {
            if (routing.counts()[expert] > 0) {
                try (var _ = new PointerScope()) {
                    outputs.push_back(TorchMoe.expert(model.weights(), layer, expert, inputs.get(expert)));
                }
            }
        }
        return cat(outputs, 0);
    }

    /// The loss and its gradient with respect to the last layer's output, left in the leaf.
    private double head(Tensor leaf, Batch batch, Share share) {
        try (var _ = new PointerScope()) {
            Tensor loss = WholeGraphPass.weightedLoss(model, model.finalNorm(leaf), batch)
                    .mul(new Scalar(1 / share.totalWeight()));
            loss.backward();
            return loss.item_double();
        }
    }

    /// Adds the gradients of one layer's adapters.
    ///
    /// @param gradient with respect to the layer's output, `[N, dim]`
    /// @return the gradient with respect to the layer's input
    private Tensor layerBackward(int layer, Kept kept, Tensor gradient, TorchMixtral.Layout layout, Share share) {
        PointerScope outer = PointerScope.getInnerScope();
        try (var _ = new PointerScope()) {
            Tensor input = leaf(kept.input());
            Tensor middle = model.attend(input, layer, layout);
            Tensor middleLeaf = leaf(middle);
            feedForwardBackward(layer, kept, middleLeaf, gradient, share);
            middle.mul(middleLeaf.grad().detach().add(gradient)).sum().backward();
            Tensor result = input.grad().detach();
            outer.attach(result);
            return result;
        }
    }

    /// Leaves the gradient with respect to the feed-forward part's input, the residual path apart, in `middle`.
    private void feedForwardBackward(int layer, Kept kept, Tensor middle, Tensor gradient, Share share) {
        try (var _ = new PointerScope()) {
            Tensor normed = model.feedForwardInput(middle, layer);
            RouterStatistics statistics = new RouterStatistics(model.config());
            TorchMoe.Routing routing = TorchMoe.route(model.weights(), layer, normed, statistics);
            Tensor grouped = routing.gather(normed);
            Tensor groupedGradient =
                    expertsBackward(layer, routing, grouped.detach(), outputGradient(routing, kept, gradient));
            Tensor scalar = grouped.mul(groupedGradient)
                    .sum()
                    .add(routing.combine(kept.expertOutputs()).mul(gradient).sum());
            statistics
                    .addTo(scalar, balanceWeight * share.auxiliary(), zWeight * share.auxiliary())
                    .backward();
        }
    }

    /// Returns the gradient with respect to what the experts gave.
    private static Tensor outputGradient(TorchMoe.Routing routing, Kept kept, Tensor gradient) {
        Tensor outputs = leaf(kept.expertOutputs());
        routing.combine(outputs, routing.weights().detach()).mul(gradient).sum().backward();
        return outputs.grad().detach();
    }

    /// Runs each expert again, with a graph, and returns the gradient with respect to their inputs.
    private Tensor expertsBackward(int layer, TorchMoe.Routing routing, Tensor grouped, Tensor outputGradient) {
        TensorVector inputs = routing.split(grouped);
        TensorVector gradients = routing.split(outputGradient);
        TensorVector results = new TensorVector();
        for (int expert = 0; expert < routing.counts().length; expert++) {
            if (routing.counts()[expert] > 0) {
                try (var _ = new PointerScope()) {
                    Tensor input = leaf(inputs.get(expert));
                    TorchMoe.expert(model.weights(), layer, expert, input)
                            .mul(gradients.get(expert))
                            .sum()
                            .backward();
                    results.push_back(input.grad().detach());
                }
            }
        }
        return cat(results, 0);
    }

    private static Tensor leaf(Tensor value) {
        Tensor leaf = value.detach();
        leaf.set_requires_grad(true);
        return leaf;
    }

    /// What is kept of a layer's forward pass.
    ///
    /// @param input `[N, dim]`
    /// @param expertOutputs `[N numExpertsPerToken, dim]`, in the order of the experts
    private record Kept(Tensor input, Tensor expertOutputs) {}

    private record Step(Tensor output, Tensor expertOutputs) {}
}
