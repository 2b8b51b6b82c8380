package dev.mixtral.model;

import java.util.Arrays;

/// Neighbouring rows that share an adapter, so that its matrices are read once for several of them; short enough that
/// all threads get some. A row's result does not depend on its run. Confined to one forward pass.
final class AdapterRuns {
    private static final int MAX_ROWS = 8;

    private Adapter[] adapters = new Adapter[0];
    private int[] firstRow = new int[0];
    private int[] numRows = new int[0];
    private int size;

    void clear() {
        size = 0;
    }

    /// Adds the next row that has an adapter, to the last run if it belongs there.
    void add(int row, Adapter adapter) {
        int last = size - 1;
        if (last >= 0
                && adapters[last] == adapter
                && firstRow[last] + numRows[last] == row
                && numRows[last] < MAX_ROWS) {
            numRows[last]++;
        } else {
            begin(row, adapter);
        }
    }

    /// Begins a run with a row.
    void begin(int row, Adapter adapter) {
        if (size == adapters.length) {
            int capacity = Math.max(16, 2 * size);
            adapters = Arrays.copyOf(adapters, capacity);
            firstRow = Arrays.copyOf(firstRow, capacity);
            numRows = Arrays.copyOf(numRows, capacity);
        }
        adapters[size] = adapter;
        firstRow[size] = row;
        numRows[size++] = 1;
    }

    /// Returns the number of runs.
    int size() {
        return size;
    }

    /// Returns the adapter that the rows of a run share.
    Adapter adapter(int run) {
        return adapters[run];
    }

    /// Returns the first row of a run.
    int firstRow(int run) {
        return firstRow[run];
    }

    /// Returns the rows of a run.
    int numRows(int run) {
        return numRows[run];
    }
}
