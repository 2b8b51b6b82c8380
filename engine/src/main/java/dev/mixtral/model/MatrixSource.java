package dev.mixtral.model;

/// Where a model's matrices come from; names are those of [dev.mixtral.format.Checkpoint].
public interface MatrixSource {
    /// Returns a matrix.
    Linear linear(String name);

    /// Returns an expert.
    ///
    /// @param prefix what the names of its matrices begin with
    Expert expert(String prefix);
}
