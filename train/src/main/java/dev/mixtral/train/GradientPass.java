package dev.mixtral.train;

/// Computes losses of batches and the gradients of what is trained. Confined to one thread at a time.
public interface GradientPass {
    /// Returns what is trained.
    FlatParameters parameters();

    /// Returns a pass over the same weights with gradients of its own, for another thread.
    GradientPass replica();

    /// Adds the gradients of a loss to those of [#parameters()].
    BatchResult backward(Batch batch, Share share);

    /// Returns the sum of the weighted losses, without gradients.
    BatchResult evaluate(Batch batch);

    /// Which part of a step's loss a batch is.
    ///
    /// @param totalWeight what the sum of weighted losses is divided by: the weight of the whole step
    /// @param auxiliary share of the routers' losses
    /// @param seed of the noise; 0 for none
    record Share(double totalWeight, double auxiliary, long seed) {}
}
