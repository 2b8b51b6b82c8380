package dev.mixtral.model;

/// Is told which experts each row went to. Called on the thread that runs the forward pass.
@FunctionalInterface
public interface RoutingObserver {
    /// Takes one choice.
    ///
    /// @param layer transformer block
    /// @param row row of the batch
    /// @param rank 0 for the row's first choice
    /// @param expert the expert chosen
    /// @param weight its share of the output
    void routed(int layer, int row, int rank, int expert, float weight);
}
