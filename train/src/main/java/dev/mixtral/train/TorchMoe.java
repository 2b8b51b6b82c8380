package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.ones;
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
    static Tensor forward(ModelWeights weights, int layer, Tensor h, RouterStatistics statistics) {
        Routing routing = route(weights, layer, h, statistics);
        TensorVector inputs = routing.split(routing.gather(h));
        TensorVector outputs = new TensorVector();
        for (int expert = 0; expert < routing.counts().length; expert++) {
            if (routing.counts()[expert] > 0) {
                outputs.push_back(expert(weights, layer, expert, inputs.get(expert)));
            }
        }
        return routing.combine(cat(outputs, 0));
    }

    /// Chooses the experts of each row of `h` `[N, dim]`. A dense model has one expert, and no router.
    static Routing route(ModelWeights weights, int layer, Tensor h, RouterStatistics statistics) {
        MixtralConfig config = weights.config();
        if (config.isDense()) {
            int[] all = {Math.toIntExact(h.size(0))};
            statistics.record(layer, all);
            return new Routing(ones(h.size(0), 1), Dispatch.of(new long[all[0]], 1, 1));
        }
        Tensor logits = weights.router(h, layer);
        Tensor probabilities = softmax(logits, -1);
        T_TensorTensor_T top = topk(probabilities, config.numExpertsPerToken());
        Tensor chosen = top.get0();
        Dispatch dispatch = Dispatch.of(top.get1(), config);
        statistics.record(layer, logits, probabilities, dispatch.counts());
        return new Routing(chosen.div(chosen.sum(new long[] {1}, true, new ScalarTypeOptional())), dispatch);
    }

    /// Returns `w2(silu(w1 x) * (w3 x))` of one expert for each row of `x` `[n, dim]`.
    static Tensor expert(ModelWeights weights, int layer, int expert, Tensor x) {
        TensorVector parts =
                split(weights.gateUp(x, layer, expert), weights.config().ffnDim(), 1);
        return weights.down(silu(parts.get(0)).mul(parts.get(1)), layer, expert);
    }

    /// Where each token of a layer goes, and how much each of its experts counts.
    ///
    /// @param weights `[N, numExpertsPerToken]`, of the chosen experts, adding up to 1
    /// @param dispatch the order by expert
    record Routing(Tensor weights, Dispatch dispatch) {
        int[] counts() {
            return dispatch.counts();
        }

        /// Returns the rows of `h` `[N, dim]` in the order of the experts, `[N numExpertsPerToken, dim]`.
        Tensor gather(Tensor h) {
            return embedding(h, Tensor.create(dispatch.tokenOfSlot()));
        }

        /// Returns the rows of each expert.
        TensorVector split(Tensor grouped) {
            long[] sizes = new long[counts().length];
            for (int expert = 0; expert < sizes.length; expert++) {
                sizes[expert] = counts()[expert];
            }
            return split_with_sizes(grouped, sizes, 0);
        }

        /// Returns the weighted sums `[N, dim]` of what the experts gave, `[N numExpertsPerToken, dim]` in
        /// their order.
        Tensor combine(Tensor outputs) {
            return combine(outputs, weights);
        }

        /// Same with other weights than the router's.
        Tensor combine(Tensor outputs, Tensor otherWeights) {
            return embedding(outputs, Tensor.create(dispatch.slotOfChoice()))
                    .reshape(otherWeights.size(0), otherWeights.size(1), outputs.size(1))
                    .mul(otherWeights.unsqueeze(2))
                    .sum(new long[] {1}, false, new ScalarTypeOptional());
        }
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
