package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.model.Expert.InnerAdapters;
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

    /// The inverse of `slotOfChoice`; of no meaning without adapters.
    private int[] choiceOfSlot = new int[0];

    /// Whether some row's adapter changes an expert that the row visits.
    private final boolean[] isAdapted;

    /// Neighbouring slots of one expert that share an adapter.
    private final AdapterRuns slotRuns = new AdapterRuns();

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
        this.isAdapted = new boolean[config.numExperts()];
    }

    /// Computes the router's logits of a row of `workspace.normed`.
    void route(Workspace workspace, int row, Scratch scratch) {
        if (gate != null) {
            gate.matmul(compute.kernels(), 0, gate.rows(), workspace.normed, row, 1, workspace.routerLogits, scratch);
        }
        Adapter adapter = workspace.adapters.of(row);
        if (adapter != null) {
            LowRank matrix = adapter.router(layer);
            workspace.adapters.shrink(compute.kernels(), matrix, workspace.normed.floats(), 0, row, 1, scratch);
            workspace.adapters.expand(compute.kernels(), matrix, 0, row, workspace.routerLogits, row);
        }
    }

    /// Reads `workspace.normed` and the router's logits, adds the sub-layer's output to `workspace.x`, and runs
    /// `then` for each row. Two phases, and one more if an adapter changes
    /// the experts.
    void forward(int numRows, Workspace workspace, @Nullable RoutingObserver observer, Compute.RowTask then) {
        router.route(workspace.routerLogits, numRows);
        if (observer != null) {
            report(numRows, observer);
        }
        groupByExpert(numRows);
        int[] busy = busyExperts();
        findAdapted(workspace.adapters, numRows);
        int numInner = numTasks(busy, ffnDim);
        ThreadTeam.Task copy = (row, _) -> copyInput(workspace, row);
        ThreadTeam.Task inner = (task, scratch) -> gateAndUp(workspace, busy, task, scratch);
        if (slotRuns.size() == 0) {
            compute.team().run(numRows, copy, numInner, inner);
        } else {
            compute.team().run(numRows, copy);
            compute.team()
                    .run(
                            2 * slotRuns.size(),
                            (task, scratch) -> shrinkInput(workspace, task / 2, task % 2, scratch),
                            numInner,
                            inner);
        }
        int numDown = numTasks(busy, dim);
        compute.team()
                .run(
                        numDown + slotRuns.size(),
                        (task, scratch) -> {
                            if (task < numDown) {
                                down(workspace, busy, task, scratch);
                            } else {
                                shrinkHidden(workspace, task - numDown, scratch);
                            }
                        },
                        numRows,
                        (row, scratch) -> {
                            expandOutputs(workspace, row);
                            addOutputs(row, workspace.x, workspace.expertOutput);
                            then.run(row, scratch);
                        });
    }

    /// Finds the experts that adapters of this batch change, and the slots that share one.
    private void findAdapted(AdapterRows adapters, int numRows) {
        slotRuns.clear();
        if (adapters.isEmpty()) {
            return;
        }
        int numChoices = numRows * numExpertsPerToken;
        if (choiceOfSlot.length < numChoices) {
            choiceOfSlot = new int[numChoices];
        }
        for (int choice = 0; choice < numChoices; choice++) {
            choiceOfSlot[slotOfChoice[choice]] = choice;
        }
        for (int expert = 0; expert < experts.size(); expert++) {
            isAdapted[expert] = false;
            for (int slot = firstSlot[expert]; slot < firstSlot[expert + 1]; slot++) {
                Adapter adapter = adapters.of(choiceOfSlot[slot] / numExpertsPerToken);
                if (adapter != null && adapter.changes(layer, expert)) {
                    addToRuns(slot, adapter, !isAdapted[expert]);
                    isAdapted[expert] = true;
                }
            }
        }
    }

    private void addToRuns(int slot, Adapter adapter, boolean isFirstOfExpert) {
        if (isFirstOfExpert) {
            slotRuns.begin(slot, adapter);
        } else {
            slotRuns.add(slot, adapter);
        }
    }

    /// @param product 0 for the gate, 1 for up
    private void shrinkInput(Workspace workspace, int run, int product, Scratch scratch) {
        Adapter adapter = slotRuns.adapter(run);
        int expert = expertOf(choiceOfSlot[slotRuns.firstRow(run)]);
        LowRank matrix = product == 0 ? adapter.w1(layer, expert) : adapter.w3(layer, expert);
        shrink(workspace, matrix, workspace.expertInput.floats(), product, run, scratch);
    }

    private void shrink(
            Workspace workspace, @Nullable LowRank matrix, FloatMatrix x, int product, int run, Scratch scratch) {
        int slot = slotRuns.firstRow(run);
        workspace.adapters.shrink(compute.kernels(), matrix, x, product, slot, slotRuns.numRows(run), scratch);
    }

    /// Adds to columns `[from, to)` of a slot's gate and up.
    private void expandInner(Workspace workspace, FloatMatrix gate, FloatMatrix up, int slot, int from, int to) {
        int choice = choiceOfSlot[slot];
        Adapter adapter = workspace.adapters.of(choice / numExpertsPerToken);
        if (adapter != null) {
            int expert = expertOf(choice);
            Kernels kernels = compute.kernels();
            workspace.adapters.expand(kernels, adapter.w1(layer, expert), 0, slot, gate, slot, from, to);
            workspace.adapters.expand(kernels, adapter.w3(layer, expert), 1, slot, up, slot, from, to);
        }
    }

    private void shrinkHidden(Workspace workspace, int run, Scratch scratch) {
        LowRank matrix = slotRuns.adapter(run).w2(layer, expertOf(choiceOfSlot[slotRuns.firstRow(run)]));
        shrink(workspace, matrix, workspace.hidden.floats(), 0, run, scratch);
    }

    private void expandOutputs(Workspace workspace, int row) {
        Adapter adapter = workspace.adapters.of(row);
        if (adapter == null) {
            return;
        }
        for (int rank = 0; rank < numExpertsPerToken; rank++) {
            LowRank matrix = adapter.w2(layer, router.expert(row, rank));
            int slot = slot(row, rank);
            workspace.adapters.expand(compute.kernels(), matrix, 0, slot, workspace.expertOutput, slot);
        }
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
        InnerAdapters adapters = workspace.adapters.isEmpty() || !isAdapted[expert]
                ? null
                : (gate, up, slot, first, end) -> expandInner(workspace, gate, up, slot, first, end);
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
                        workspace.gateUp,
                        adapters,
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
