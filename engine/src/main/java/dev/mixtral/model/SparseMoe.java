package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The sparse mixture of experts: each row visits its top experts, whose outputs are added with the router's weights
/// (arXiv 2401.04088 §2.1). With one expert and no router it is the feed-forward layer of a dense model.
///
/// Rows are grouped by expert, so that an expert's weights are read once for all rows that visit it. Confined to one
/// forward pass at a time.
final class SparseMoe {
    private final int layer;
    private final int dim;
    private final int ffnDim;
    private final int numExpertsPerToken;
    private final @Nullable Linear gate;
    private final List<Expert> experts;
    private final Router router;
    private final Compute compute;

    /// `firstSlot[e] .. firstSlot[e + 1]` are the slots of expert `e`.
    private final int[] firstSlot;

    private int[] slotOfChoice = new int[0];

    SparseMoe(MixtralConfig config, MixtralWeights.Layer weights, int layer, Compute compute) {
        this.layer = layer;
        this.dim = config.dim();
        this.ffnDim = config.ffnDim();
        this.numExpertsPerToken = config.numExpertsPerToken();
        this.gate = weights.gate() == null ? null : new Linear.Plain(weights.gate());
        this.experts = weights.experts();
        this.router = new Router(config.numExperts(), config.numExpertsPerToken());
        this.compute = compute;
        this.firstSlot = new int[config.numExperts() + 1];
    }

    /// Computes the router's logits of a row of `workspace.normed`.
    void route(Workspace workspace, int row, Scratch scratch) {
        if (gate != null) {
            gate.matmul(compute.kernels(), 0, gate.rows(), workspace.normed, row, 1, workspace.routerLogits, scratch);
        }
    }

    /// Reads `workspace.normed` and the router's logits, adds the sub-layer's output to `workspace.x`, and runs
    /// `then` for each row. Two phases.
    void forward(int numRows, Workspace workspace, @Nullable RoutingObserver observer, Compute.RowTask then) {
        router.route(workspace.routerLogits, numRows);
        if (observer != null) {
            report(numRows, observer);
        }
        groupByExpert(numRows);
        int[] busy = busyExperts();
        compute.team()
                .run(
                        numRows,
                        (row, _) -> copyInput(workspace, row),
                        numTasks(busy, ffnDim),
                        (task, scratch) -> gateAndUp(workspace, busy, task, scratch));
        compute.team()
                .run(
                        numTasks(busy, dim),
                        (task, scratch) -> down(workspace, busy, task, scratch),
                        numRows,
                        (row, scratch) -> {
                            addOutputs(row, workspace.x, workspace.expertOutput);
                            then.run(row, scratch);
                        });
    }

    private void copyInput(Workspace workspace, int row) {
        for (int rank = 0; rank < numExpertsPerToken; rank++) {
            workspace.expertInput.copyRow(slot(row, rank), workspace.normed, row);
        }
    }

    /// Returns the tasks of a phase: one for each chunk of output columns of each expert that has slots.
    private static int numTasks(int[] busy, int numCols) {
        return busy.length * Compute.numChunks(numCols);
    }

    private void gateAndUp(Workspace workspace, int[] busy, int task, Scratch scratch) {
        int chunks = Compute.numChunks(ffnDim);
        int expert = busy[task / chunks];
        int from = task % chunks * Compute.CHUNK;
        experts.get(expert)
                .gateAndUp(
                        compute.kernels(),
                        workspace.expertInput,
                        firstSlot[expert],
                        firstSlot[expert + 1] - firstSlot[expert],
                        from,
                        Math.min(ffnDim, from + Compute.CHUNK),
                        workspace.hidden,
                        workspace.up,
                        scratch);
    }

    private void down(Workspace workspace, int[] busy, int task, Scratch scratch) {
        int chunks = Compute.numChunks(dim);
        int expert = busy[task / chunks];
        int from = task % chunks * Compute.CHUNK;
        experts.get(expert)
                .down()
                .matmul(
                        compute.kernels(),
                        from,
                        Math.min(dim, from + Compute.CHUNK),
                        workspace.hidden,
                        firstSlot[expert],
                        firstSlot[expert + 1] - firstSlot[expert],
                        workspace.expertOutput,
                        scratch);
    }

    /// Adds in the row's own order of choice, so that the sum does not depend on the batch.
    private void addOutputs(int row, FloatMatrix x, FloatMatrix outputs) {
        for (int rank = 0; rank < numExpertsPerToken; rank++) {
            compute.kernels().addScaled(x, row, router.weight(row, rank), outputs, slot(row, rank));
        }
    }

    private int slot(int row, int rank) {
        return slotOfChoice[row * numExpertsPerToken + rank];
    }

    /// Gives every choice a slot: a counting sort by expert.
    private void groupByExpert(int numRows) {
        int numChoices = numRows * numExpertsPerToken;
        if (slotOfChoice.length < numChoices) {
            slotOfChoice = new int[numChoices];
        }
        int[] counts = new int[experts.size()];
        for (int choice = 0; choice < numChoices; choice++) {
            counts[expertOf(choice)]++;
        }
        for (int e = 0; e < counts.length; e++) {
            firstSlot[e + 1] = firstSlot[e] + counts[e];
        }
        int[] next = firstSlot.clone();
        for (int choice = 0; choice < numChoices; choice++) {
            slotOfChoice[choice] = next[expertOf(choice)]++;
        }
    }

    private int expertOf(int choice) {
        return router.expert(choice / numExpertsPerToken, choice % numExpertsPerToken);
    }

    private void report(int numRows, RoutingObserver observer) {
        for (int row = 0; row < numRows; row++) {
            for (int rank = 0; rank < numExpertsPerToken; rank++) {
                observer.routed(layer, row, rank, router.expert(row, rank), router.weight(row, rank));
            }
        }
    }

    private int[] busyExperts() {
        int[] busy = new int[experts.size()];
        int n = 0;
        for (int e = 0; e < experts.size(); e++) {
            if (firstSlot[e + 1] > firstSlot[e]) {
                busy[n++] = e;
            }
        }
        return Arrays.copyOf(busy, n);
    }
}
