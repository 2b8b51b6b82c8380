package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.tensor.FloatMatrix;

/// Kernels together with the threads that run them: how a layer's work is cut into tasks.
///
/// @param kernels the numeric kernels
/// @param team the compute threads
record Compute(Kernels kernels, ThreadTeam team) {
    /// Weight rows of one task: enough work to be worth a task, few enough that threads end together.
    static final int CHUNK = 64;

    /// Runs one task for each row of a batch.
    void forRows(int numRows, RowTask task) {
        team.run(numRows, task::run);
    }

    /// Multiplies the first `numRows` rows of `x` by several matrices at once, then runs one task for each row.
    ///
    /// @param weights matrices with as many columns as `x`
    /// @param outs `outs[i]` receives the product with `weights[i]`
    /// @param numMore tasks that run beside the products
    /// @param then sees all products of all rows, and what those tasks made
    void matmul(
            Linear[] weights,
            Activations x,
            int numRows,
            FloatMatrix[] outs,
            int numMore,
            ThreadTeam.Task more,
            RowTask then) {
        int[] firstTask = new int[weights.length + 1];
        for (int i = 0; i < weights.length; i++) {
            firstTask[i + 1] = firstTask[i] + numChunks(weights[i].rows());
        }
        int numChunks = firstTask[weights.length];
        team.run(
                numChunks + numMore,
                (task, scratch) -> {
                    if (task >= numChunks) {
                        more.run(task - numChunks, scratch);
                        return;
                    }
                    int i = 0;
                    while (task >= firstTask[i + 1]) {
                        i++;
                    }
                    int from = (task - firstTask[i]) * CHUNK;
                    int to = Math.min(weights[i].rows(), from + CHUNK);
                    weights[i].matmul(kernels, from, to, x, 0, numRows, outs[i], scratch);
                },
                numRows,
                then::run);
    }

    /// Same, for one matrix.
    void matmul(
            Linear weight,
            Activations x,
            int numRows,
            FloatMatrix out,
            int numMore,
            ThreadTeam.Task more,
            RowTask then) {
        matmul(new Linear[] {weight}, x, numRows, new FloatMatrix[] {out}, numMore, more, then);
    }

    /// Multiplies the first `numRows` rows of `x` by one matrix.
    void matmul(Linear weight, Activations x, int numRows, FloatMatrix out) {
        team.run(numChunks(weight.rows()), (task, scratch) -> {
            int from = task * CHUNK;
            weight.matmul(kernels, from, Math.min(weight.rows(), from + CHUNK), x, 0, numRows, out, scratch);
        });
    }

    /// Returns how many tasks cover `rows` weight rows.
    static int numChunks(int rows) {
        return (rows + CHUNK - 1) / CHUNK;
    }

    /// The work of one row.
    @FunctionalInterface
    interface RowTask {
        void run(int row, Scratch scratch);
    }
}
