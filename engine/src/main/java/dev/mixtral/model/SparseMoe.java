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

    /// Reads `workspace.normed` and adds the sub-layer's output to `workspace.x`.
    void forward(int numRows, Workspace workspace, @Nullable RoutingObserver observer) {
        if (gate != null) {
            compute.matmul(gate, workspace.normed, numRows, workspace.routerLogits);
        }
        router.route(workspace.routerLogits, numRows);
        if (observer != null) {
            report(numRows, observer);
        }
        groupByExpert(numRows);
        compute.forRows(numRows, (row, _) -> {
            for (int rank = 0; rank < numExpertsPerToken; rank++) {
                workspace.expertInput.copyRow(slot(row, rank), workspace.normed, row);
            }
        });
        forExpertChunks(
                ffnDim,
                (expert, from, numTokens, chunk, to, scratch) -> experts.get(expert)
                        .gateAndUp(
                                compute.kernels(),
                                workspace.expertInput,
                                from,
                                numTokens,
                                chunk,
                                to,
                                workspace.hidden,
                                workspace.up,
                                scratch));
        forExpertChunks(
                dim,
                (expert, from, numTokens, chunk, to, scratch) -> experts.get(expert)
                        .down()
                        .matmul(
                                compute.kernels(),
                                chunk,
                                to,
                                workspace.hidden,
                                from,
                                numTokens,
                                workspace.expertOutput,
                                scratch));
        compute.forRows(numRows, (row, _) -> addOutputs(row, workspace.x, workspace.expertOutput));
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

    /// Runs one task for each chunk of output columns of each expert that has slots.
    private void forExpertChunks(int numCols, ExpertTask task) {
        int chunks = Compute.numChunks(numCols);
        int[] busy = busyExperts();
        compute.team().run(busy.length * chunks, (index, scratch) -> {
            int expert = busy[index / chunks];
            int chunk = index % chunks * Compute.CHUNK;
            int from = firstSlot[expert];
            int to = Math.min(numCols, chunk + Compute.CHUNK);
            task.run(expert, from, firstSlot[expert + 1] - from, chunk, to, scratch);
        });
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

    /// Work of one expert: slots `fromSlot ..` and output columns `[fromCol, toCol)`.
    @FunctionalInterface
    private interface ExpertTask {
        void run(int expert, int fromSlot, int numSlots, int fromCol, int toCol, Scratch scratch);
    }
}
