package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The rows of a batch that have adapters, and the products `A · x` on their way from one half of a phase to the next.
/// Without such rows it holds nothing and does nothing. Confined to one forward pass.
final class AdapterRows {
    /// Queries, keys and values are the most matrices that a row meets at once.
    private static final int MAX_PRODUCTS = 3;

    private final FloatMatrix[] products = new FloatMatrix[MAX_PRODUCTS];
    private final AdapterRuns runs = new AdapterRuns();
    private @Nullable Adapter[] ofRow = new Adapter[0];
    private boolean changesOutput;

    AdapterRows() {
        Arrays.fill(products, new FloatMatrix(0, 0));
    }

    /// Finds the rows of a batch that have adapters.
    ///
    /// @param numSlots slots of the batch
    void prepare(Batch batch, int numSlots) {
        ofRow = batch.adapters();
        runs.clear();
        changesOutput = false;
        int maxRank = 0;
        for (int row = 0; row < ofRow.length; row++) {
            Adapter adapter = ofRow[row];
            if (adapter != null) {
                runs.add(row, adapter);
                maxRank = Math.max(maxRank, adapter.maxRank());
                changesOutput |= adapter.output() != null;
            }
        }
        ensure(numSlots, maxRank);
    }

    private void ensure(int numSlots, int maxRank) {
        FloatMatrix present = products[0];
        if (numSlots > present.numRows() || maxRank > present.cols()) {
            int numRows = Math.max(numSlots, present.numRows());
            int cols = Math.max(maxRank, present.cols());
            Arrays.setAll(products, _ -> new FloatMatrix(numRows, cols));
        }
    }

    boolean isEmpty() {
        return runs.size() == 0;
    }

    /// Returns the neighbouring rows that share an adapter.
    AdapterRuns runs() {
        return runs;
    }

    /// Returns a row's adapter, or `null` if it has none.
    @Nullable
    Adapter of(int row) {
        return row < ofRow.length ? ofRow[row] : null;
    }

    /// Returns whether some adapter changes the output matrix.
    boolean changesOutput() {
        return changesOutput;
    }

    /// Computes `A · x` of a matrix for neighbouring rows, if there is an adapter of it.
    ///
    /// @param product which product it becomes
    /// @param row first row of `x`, and of the product
    void shrink(
            Kernels kernels,
            @Nullable LowRank matrix,
            FloatMatrix x,
            int product,
            int row,
            int numRows,
            Scratch scratch) {
        if (matrix != null) {
            matrix.shrink(kernels, x, row, numRows, products[product], scratch);
        }
    }

    /// Adds `B · (A · x)` to all outputs of a row, if there is an adapter of the matrix.
    void expand(Kernels kernels, @Nullable LowRank matrix, int product, int productRow, FloatMatrix y, int row) {
        expand(kernels, matrix, product, productRow, y, row, 0, y.cols());
    }

    /// Same, for outputs `[from, to)`.
    void expand(
            Kernels kernels,
            @Nullable LowRank matrix,
            int product,
            int productRow,
            FloatMatrix y,
            int row,
            int from,
            int to) {
        if (matrix != null) {
            matrix.expand(kernels, products[product], productRow, y, row, from, to);
        }
    }
}
