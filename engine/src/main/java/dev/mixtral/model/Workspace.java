package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tensor.FloatMatrix;

/// The activations of one forward pass; grows to the largest batch seen. Confined to one forward pass at a time.
///
/// Rows of the expert matrices are *slots*: one for each pair of a row and an expert that it visits, sorted by
/// expert.
final class Workspace {
    private final MixtralConfig config;
    private int numRows;
    private int numLogitRows;

    /// Residual stream, `[T, dim]`.
    FloatMatrix x = EMPTY;

    /// Normalised input of the current sub-layer, `[T, dim]`.
    FloatMatrix normed = EMPTY;

    /// Queries, `[T, numHeads * headDim]`.
    FloatMatrix q = EMPTY;

    /// Keys, `[T, numKvHeads * headDim]`.
    FloatMatrix k = EMPTY;

    /// Values, `[T, numKvHeads * headDim]`.
    FloatMatrix v = EMPTY;

    /// Attention output of all heads, `[T, numHeads * headDim]`.
    FloatMatrix attended = EMPTY;

    /// Output of the attention sub-layer, `[T, dim]`.
    FloatMatrix projected = EMPTY;

    /// Router logits, `[T, numExperts]`.
    FloatMatrix routerLogits = EMPTY;

    /// Inputs of the experts, `[slots, dim]`.
    FloatMatrix expertInput = EMPTY;

    /// Activated inner layer of the experts, `[slots, ffnDim]`.
    FloatMatrix gate = EMPTY;

    /// The experts' `w3 · x`, `[slots, ffnDim]`.
    FloatMatrix up = EMPTY;

    /// Outputs of the experts, `[slots, dim]`.
    FloatMatrix expertOutput = EMPTY;

    /// Normalised final states of the rows that want logits, `[rows, dim]`.
    FloatMatrix last = EMPTY;

    /// Logits, `[rows, vocabSize]`.
    FloatMatrix logits = EMPTY;

    private static final FloatMatrix EMPTY = new FloatMatrix(0, 0);

    Workspace(MixtralConfig config) {
        this.config = config;
    }

    /// Makes room for a batch.
    void ensure(Batch batch) {
        if (batch.size() > numRows) {
            numRows = batch.size();
            int slots = numRows * config.numExpertsPerToken();
            x = new FloatMatrix(numRows, config.dim());
            normed = new FloatMatrix(numRows, config.dim());
            q = new FloatMatrix(numRows, config.queryDim());
            k = new FloatMatrix(numRows, config.kvDim());
            v = new FloatMatrix(numRows, config.kvDim());
            attended = new FloatMatrix(numRows, config.queryDim());
            projected = new FloatMatrix(numRows, config.dim());
            routerLogits = new FloatMatrix(numRows, config.numExperts());
            expertInput = new FloatMatrix(slots, config.dim());
            gate = new FloatMatrix(slots, config.ffnDim());
            up = new FloatMatrix(slots, config.ffnDim());
            expertOutput = new FloatMatrix(slots, config.dim());
        }
        if (batch.numLogitRows() > numLogitRows) {
            numLogitRows = batch.numLogitRows();
            last = new FloatMatrix(numLogitRows, config.dim());
            logits = new FloatMatrix(numLogitRows, config.vocabSize());
        }
    }
}
