package dev.mixtral.engine;

import dev.mixtral.engine.InputStatistics.Sums;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.MixtralGguf;
import dev.mixtral.format.MixtralGguf.Part;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.model.Batch;
import dev.mixtral.model.Mixtral;
import dev.mixtral.model.MixtralWeights;
import dev.mixtral.quantize.ImportanceMatrix;
import dev.mixtral.tensor.Tensor;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Measures how much the columns of a model's matrices matter, by running a text through it: the mean squares of
/// their inputs, as llama.cpp's `llama-imatrix` collects them.
///
/// An expert's columns are measured on the tokens that visit it. The result does not depend on the number of
/// threads.
public final class Calibration {
    /// Tokens of a window, BOS included: the context that llama-imatrix uses.
    private static final int WINDOW = 512;

    private Calibration() {}

    /// Runs a text through a model, in windows that do not overlap.
    ///
    /// @param checkpoint the model; its weights are used as they are stored
    /// @param bosId token in front of every window
    /// @param ids the text's tokens, without BOS
    /// @param source where the text comes from, for messages and metadata
    /// @param numThreads compute threads
    /// @throws InvalidRequestException if the text is empty
    public static ImportanceMatrix measure(Checkpoint checkpoint, int bosId, int[] ids, String source, int numThreads) {
        if (ids.length == 0) {
            throw new InvalidRequestException("text", source + " is empty, so there is nothing to calibrate on");
        }
        MixtralConfig config = checkpoint.config();
        IdentityHashMap<Tensor, Sums> sums = new IdentityHashMap<>();
        List<Part> matrices = MixtralGguf.parts(config, false).stream()
                .filter(Calibration::isMatrix)
                .toList();
        for (Part matrix : matrices) {
            for (String weight : matrix.weights()) {
                Tensor tensor = checkpoint.tensor(weight);
                sums.put(tensor, new Sums(tensor.cols()));
            }
        }
        var kernels =
                new InputStatistics(KernelSelector.select(KernelSelector.AUTO).kernels(), sums);
        try (ThreadTeam team = new ThreadTeam(numThreads)) {
            Mixtral model = new Mixtral(config, checkpoint.ropeLayout(), MixtralWeights.of(checkpoint), kernels, team);
            int window = Math.min(WINDOW, config.contextLength());
            for (int from = 0; from < ids.length; from += window - 1) {
                run(model, bosId, ids, from, Math.min(ids.length, from + window - 1));
            }
        }
        return importance(checkpoint, source, matrices, sums);
    }

    /// The embedding is looked up, not multiplied with; norms and router stay as they are.
    private static boolean isMatrix(Part part) {
        String weight = part.weights().getFirst();
        return part.shape().length > 1 && !weight.equals("tok_embeddings") && !weight.endsWith(".gate");
    }

    private static void run(Mixtral model, int bosId, int[] ids, int from, int to) {
        MixtralConfig config = model.config();
        int[] tokens = new int[to - from + 1];
        tokens[0] = bosId;
        System.arraycopy(ids, from, tokens, 1, to - from);
        KvLayout layout = new KvLayout(config.numLayers(), config.numKvHeads(), config.headDim(), KvType.F32);
        try (KvCache cache = new KvCache(layout)) {
            model.forward(Batch.of(cache, tokens, true));
        }
    }

    private static ImportanceMatrix importance(
            Checkpoint checkpoint, String source, List<Part> matrices, IdentityHashMap<Tensor, Sums> sums) {
        Map<String, float[]> columns = new LinkedHashMap<>();
        for (Part matrix : matrices) {
            int cols = (int) matrix.shape()[matrix.shape().length - 1];
            float[] means = new float[Math.multiplyExact(matrix.weights().size(), cols)];
            int at = 0;
            for (String weight : matrix.weights()) {
                Sums inputs = sums.get(checkpoint.tensor(weight));
                if (inputs != null) {
                    inputs.means(means, at);
                }
                at += cols;
            }
            columns.put(matrix.name(), means);
        }
        return new ImportanceMatrix(source, columns);
    }
}
