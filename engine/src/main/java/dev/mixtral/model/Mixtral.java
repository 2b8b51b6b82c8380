package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.RopeLayout;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The sparse mixture-of-experts decoder (arXiv 2401.04088): token ids in, logits out.
///
/// A row's logits depend on its own sequence only, bit for bit: not on the other rows of the batch, on how a prompt
/// was cut into batches, or on the number of threads. Confined to one caller at a time.
public final class Mixtral {
    private final MixtralConfig config;
    private final MixtralWeights weights;
    private final Compute compute;
    private final Rope rope;
    private final Workspace workspace;
    private final List<TransformerBlock> blocks = new ArrayList<>();

    /// Creates a model over weights that outlive it.
    ///
    /// @param ropeLayout the order of the rows of `wq` and `wk`
    /// @param team the compute threads; not closed by this model
    public Mixtral(
            MixtralConfig config, RopeLayout ropeLayout, MixtralWeights weights, Kernels kernels, ThreadTeam team) {
        this.config = config;
        this.weights = weights;
        this.compute = new Compute(kernels, team);
        this.rope = new Rope(config, ropeLayout);
        this.workspace = new Workspace(config, weights.usesPacked(), team.numThreads());
        for (int l = 0; l < config.numLayers(); l++) {
            boolean last = l == config.numLayers() - 1;
            float[] nextNorm = last ? null : weights.layers().get(l + 1).attentionNorm();
            blocks.add(new TransformerBlock(config, weights.layers().get(l), nextNorm, l, compute, rope));
        }
    }

    /// Returns the architecture.
    public MixtralConfig config() {
        return config;
    }

    /// Runs a batch, extends the caches of its sequences, and returns the logits that it wants.
    ///
    /// @return `[≥ numLogitRows, vocabSize]`, row `i` for the `i`-th row that wants logits; valid until the next
    ///     call
    public FloatMatrix forward(Batch batch) {
        return forward(batch, null);
    }

    /// Same, and reports the routing.
    ///
    /// @param observer is told the experts of every row in every layer; may be `null`
    public FloatMatrix forward(Batch batch, @Nullable RoutingObserver observer) {
        workspace.ensure(batch);
        reserve(batch);
        rope.prepare(batch);
        embed(batch);
        for (TransformerBlock block : blocks) {
            block.forward(batch, workspace, observer);
        }
        commit(batch);
        return logits(batch);
    }

    private static void reserve(Batch batch) {
        for (int row = 0; row < batch.size(); row++) {
            batch.caches()[row].ensureCapacity(batch.positions()[row] + 1);
        }
    }

    private static void commit(Batch batch) {
        for (int row = 0; row < batch.size(); row++) {
            KvCache cache = batch.caches()[row];
            cache.setNumComputedTokens(Math.max(cache.numComputedTokens(), batch.positions()[row] + 1));
        }
    }

    private void embed(Batch batch) {
        Tensor table = weights.tokEmbeddings();
        FloatMatrix x = workspace.x;
        compute.forRows(batch.size(), (row, _) -> {
            long offset = batch.tokens()[row] * table.rowBytes();
            Dequantizer.dequantize(table.type(), table.data(), offset, x.data(), x.offset(row), x.cols());
            blocks.getFirst().begin(workspace, row);
        });
    }

    private FloatMatrix logits(Batch batch) {
        int n = 0;
        for (int row = 0; row < batch.size(); row++) {
            if (batch.wantsLogits()[row]) {
                workspace.last.floats().copyRow(n++, workspace.x, row);
            }
        }
        compute.forRows(n, (row, _) -> {
            FloatMatrix last = workspace.last.floats();
            compute.kernels().rmsNorm(last, row, weights.norm(), config.normEps(), last);
            workspace.last.quantize(compute.kernels(), row);
        });
        if (workspace.adapters.changesOutput()) {
            adaptedLogits(batch, n);
        } else {
            compute.matmul(weights.output(), workspace.last, n, workspace.logits);
        }
        return workspace.logits;
    }

    private void adaptedLogits(Batch batch, int n) {
        AdapterRows adapters = workspace.adapters;
        @Nullable LowRank[] matrices = new LowRank[n];
        int row = 0;
        for (int i = 0; i < n; i++, row++) {
            while (!batch.wantsLogits()[row]) {
                row++;
            }
            Adapter adapter = adapters.of(row);
            matrices[i] = adapter == null ? null : adapter.output();
        }
        compute.matmul(
                weights.output(),
                workspace.last,
                n,
                workspace.logits,
                n,
                (i, scratch) ->
                        adapters.shrink(compute.kernels(), matrices[i], workspace.last.floats(), 0, i, 1, scratch),
                (i, _) -> adapters.expand(compute.kernels(), matrices[i], 0, i, workspace.logits, i));
    }
}
