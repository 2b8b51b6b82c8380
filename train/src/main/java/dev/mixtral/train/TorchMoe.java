package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.silu;
import static org.bytedeco.pytorch.global.torch.softmax;
import static org.bytedeco.pytorch.global.torch.split;
import static org.bytedeco.pytorch.global.torch.split_with_sizes;
import static org.bytedeco.pytorch.global.torch.topk;

import dev.mixtral.format.MixtralConfig;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/// The sparse feed-forward layer: each token visits its top experts, no token is dropped.
///
/// Source: Mixtral of Experts (arXiv 2401.04088) §2.1. Softmax over all router logits, renormalised over the chosen
/// ones, equals the paper's softmax over the chosen logits.
final class TorchMoe {
    private TorchMoe() {}

    /// Returns `sum_e weight_e * w2_e(silu(w1_e h) * (w3_e h))` for each row of `h` `[N, dim]`.
    static Tensor forward(Parameters parameters, int layer, Tensor h, RouterStatistics statistics) {
        MixtralConfig config = parameters.config();
        Tensor logits = linear(h, parameters.block(Parameters.routerName(layer)));
        Tensor probabilities = softmax(logits, -1);
        T_TensorTensor_T top = topk(probabilities, config.numExpertsPerToken());
        Tensor weights = top.get0();
        weights = weights.div(weights.sum(new long[] {1}, true, new ScalarTypeOptional()));

        Dispatch dispatch = Dispatch.of(top.get1(), config);
        statistics.record(layer, logits, probabilities, dispatch.counts());
        Tensor grouped = embedding(h, Tensor.create(dispatch.tokenOfSlot()));
        Tensor outputs = experts(parameters, layer, grouped, dispatch.counts());
        return embedding(outputs, Tensor.create(dispatch.slotOfChoice()))
                .reshape(h.size(0), config.numExpertsPerToken(), config.dim())
                .mul(weights.unsqueeze(2))
                .sum(new long[] {1}, false, new ScalarTypeOptional());
    }

    private static Tensor experts(Parameters parameters, int layer, Tensor grouped, int[] counts) {
        long[] sizes = new long[counts.length];
        for (int expert = 0; expert < counts.length; expert++) {
            sizes[expert] = counts[expert];
        }
        TensorVector inputs = split_with_sizes(grouped, sizes, 0);
        TensorVector outputs = new TensorVector();
        for (int expert = 0; expert < counts.length; expert++) {
            if (counts[expert] > 0) {
                String prefix = Parameters.expertPrefix(layer, expert);
                Tensor gateUp = linear(inputs.get(expert), parameters.block(prefix + "gateUp"));
                TensorVector parts = split(gateUp, parameters.config().ffnDim(), 1);
                Tensor inner = silu(parts.get(0)).mul(parts.get(1));
                outputs.push_back(linear(inner, parameters.block(prefix + "w2.weight")));
            }
        }
        return cat(outputs, 0);
    }

    /// The permutation that brings the tokens of one expert together: a counting sort of the choices.
    ///
    /// With two tokens choosing experts `(5, 2)` and `(2, 0)`, the choices in order are `5 2 2 0`, the slots by
    /// expert are `0 | 2 2 | 5`: `tokenOfSlot = 1 0 1 0` and `slotOfChoice = 3 1 2 0`.
    ///
    /// @param counts slots per expert
    /// @param tokenOfSlot which row of the input goes to a slot
    /// @param slotOfChoice where the `k`-th choice of a token went, at `token * numExpertsPerToken + k`
    record Dispatch(int[] counts, long[] tokenOfSlot, long[] slotOfChoice) {
        static Dispatch of(Tensor chosen, MixtralConfig config) {
            long[] experts = new long[Math.toIntExact(chosen.numel())];
            new LongPointer(chosen.contiguous().data_ptr()).get(experts);
            return of(experts, config.numExperts(), config.numExpertsPerToken());
        }

        static Dispatch of(long[] experts, int numExperts, int numExpertsPerToken) {
            int[] counts = new int[numExperts];
            for (long expert : experts) {
                counts[(int) expert]++;
            }
            int[] next = new int[numExperts];
            for (int expert = 1; expert < numExperts; expert++) {
                next[expert] = next[expert - 1] + counts[expert - 1];
            }
            long[] tokenOfSlot = new long[experts.length];
            long[] slotOfChoice = new long[experts.length];
            for (int choice = 0; choice < experts.length; choice++) {
                int slot = next[(int) experts[choice]]++;
                tokenOfSlot[slot] = choice / numExpertsPerToken;
                slotOfChoice[choice] = slot;
            }
            return new Dispatch(counts, tokenOfSlot, slotOfChoice);
        }
    }
}
