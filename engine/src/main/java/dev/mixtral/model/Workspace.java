package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tensor.FloatMatrix;

/// The activations of one forward pass; grows to the largest batch seen. Confined to one forward pass at a time.
///
/// Rows of the expert matrices are *slots*: one for each pair of a row and an expert that it visits, sorted by
/// expert.
final class Workspace {
    private final MixtralConfig config;
    private final boolean packed;
    private int numRows;
    private int numLogitRows;

    /// Residual stream, `[T, dim]`.
    FloatMatrix x = EMPTY;

    /// Normalised input of the current sub-layer, `[T, dim]`.
    Activations normed = Activations.EMPTY;

    /// Queries, `[T, numHeads * headDim]`.
    FloatMatrix q = EMPTY;

    /// Keys, `[T, numKvHeads * headDim]`.
    FloatMatrix k = EMPTY;

    /// Values, `[T, numKvHeads * headDim]`.
    FloatMatrix v = EMPTY;

    /// Attention output of all heads, `[T, numHeads * headDim]`.
    Activations attended = Activations.EMPTY;

    /// Output of the attention sub-layer, `[T, dim]`.
    FloatMatrix projected = EMPTY;

    /// Router logits, `[T, numExperts]`.
    FloatMatrix routerLogits = EMPTY;

    /// Inputs of the experts, `[slots, dim]`.
    Activations expertInput = Activations.EMPTY;

    /// Activated inner layer of the experts, `[slots, ffnDim]`; floats or 8 bits, as each expert's `down` reads them.
    Activations hidden = Activations.EMPTY;

    /// The experts' `w3 · x`, `[slots, ffnDim]`.
    FloatMatrix up = EMPTY;

    /// Outputs of the experts, `[slots, dim]`.
    FloatMatrix expertOutput = EMPTY;

    /// Normalised final states of the rows that want logits, `[rows, dim]`.
    Activations last = Activations.EMPTY;

    /// Logits, `[rows, vocabSize]`.
    FloatMatrix logits = EMPTY;

    private static final FloatMatrix EMPTY = new FloatMatrix(0, 0);

    /// @param packed whether some matrix of the model is packed
    Workspace(MixtralConfig config, boolean packed) {
        this.config = config;
        this.packed = packed;
    }

    /// Makes room for a batch.
    void ensure(Batch batch) {
        if (batch.size() > numRows) {
            numRows = batch.size();
            int slots = numRows * config.numExpertsPerToken();
            x = new FloatMatrix(numRows, config.dim());
            normed = Activations.create(numRows, config.dim(), packed);
            q = new FloatMatrix(numRows, config.queryDim());
            k = new FloatMatrix(numRows, config.kvDim());
            v = new FloatMatrix(numRows, config.kvDim());
            attended = Activations.create(numRows, config.queryDim(), packed);
            projected = new FloatMatrix(numRows, config.dim());
            routerLogits = new FloatMatrix(numRows, config.numExperts());
            expertInput = Activations.create(slots, config.dim(), packed);
            hidden = Activations.create(slots, config.ffnDim(), packed);
            up = new FloatMatrix(slots, config.ffnDim());
            expertOutput = new FloatMatrix(slots, config.dim());
        }
        if (batch.numLogitRows() > numLogitRows) {
            numLogitRows = batch.numLogitRows();
            last = Activations.create(numLogitRows, config.dim(), packed);
            logits = new FloatMatrix(numLogitRows, config.vocabSize());
        }
    }
}
