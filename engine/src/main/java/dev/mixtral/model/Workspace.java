package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.AttentionParts;
import dev.mixtral.tensor.FloatMatrix;
import java.util.concurrent.atomic.AtomicIntegerArray;

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

    /// How the attention of the batch is cut.
    final AttentionPlan attentionPlan;

    /// Parts of rows whose attention is cut: [AttentionParts#size] floats each.
    float[] attentionParts = new float[0];

    /// KV heads of each row that are still to be attended to, `[T]`; whole again after each layer.
    AtomicIntegerArray headsToDo = new AtomicIntegerArray(0);

    /// Pieces of each KV head of each row that are still to be attended to, `[T, numKvHeads]`; whole again after each
    /// layer.
    AtomicIntegerArray piecesToDo = new AtomicIntegerArray(0);

    /// Which rows have adapters.
    final AdapterRows adapters;

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

    /// Products with the gate and up of packed experts, panels of either in turn, `[slots, 2 * ffnDim]`: for rows with
    /// adapters, which come between these products and their activation.
    FloatMatrix gateUp = EMPTY;

    /// Outputs of the experts, `[slots, dim]`.
    FloatMatrix expertOutput = EMPTY;

    /// Normalised final states of the rows that want logits, `[rows, dim]`.
    Activations last = Activations.EMPTY;

    /// Logits, `[rows, vocabSize]`.
    FloatMatrix logits = EMPTY;

    private static final FloatMatrix EMPTY = new FloatMatrix(0, 0);

    /// @param packed whether some matrix of the model is packed
    /// @param numThreads threads that share the work
    Workspace(MixtralConfig config, boolean packed, int numThreads) {
        this.config = config;
        this.packed = packed;
        this.attentionPlan = new AttentionPlan(config.numKvHeads(), numThreads);
        this.adapters = new AdapterRows();
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
            headsToDo = new AtomicIntegerArray(numRows);
            piecesToDo = new AtomicIntegerArray(numRows * config.numKvHeads());
        }
        if (batch.numLogitRows() > numLogitRows) {
            numLogitRows = batch.numLogitRows();
            last = Activations.create(numLogitRows, config.dim(), packed);
            logits = new FloatMatrix(numLogitRows, config.vocabSize());
        }
        planAttention(batch);
        int slots = batch.size() * config.numExpertsPerToken();
        adapters.prepare(batch, slots);
        if (packed && !adapters.isEmpty() && slots > gateUp.numRows()) {
            gateUp = new FloatMatrix(slots, 2 * config.ffnDim());
        }
    }

    private void planAttention(Batch batch) {
        attentionPlan.prepare(batch);
        int headsPerKvHead = config.numHeads() / config.numKvHeads();
        int size = Math.multiplyExact(attentionPlan.numParts(), AttentionParts.size(headsPerKvHead, config.headDim()));
        if (attentionParts.length < size) {
            // Contexts grow by one: doubling keeps a long generation from allocating at every chunk.
            attentionParts = new float[Math.max(size, 2 * attentionParts.length)];
        }
        for (int row = 0; row < batch.size(); row++) {
            headsToDo.setPlain(row, config.numKvHeads());
            for (int kvHead = 0; kvHead < config.numKvHeads(); kvHead++) {
                piecesToDo.setPlain(row * config.numKvHeads() + kvHead, attentionPlan.piecesOfRow(row));
            }
        }
    }
}
