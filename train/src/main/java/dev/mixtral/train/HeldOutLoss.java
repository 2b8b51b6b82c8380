package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.embedding;

import dev.mixtral.train.corpus.CorpusGenerator;
import dev.mixtral.train.corpus.HeldOut;
import java.util.Comparator;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/// Measures how well a model predicts held-out conversations, and how evenly its experts are used while it does.
///
/// @param natsPerToken mean negative log-likelihood of the tokens that the assistant writes
/// @param numTokens how many those are
/// @param expertCounts tokens per layer and expert, prompts included
record HeldOutLoss(double natsPerToken, long numTokens, long[][] expertCounts) {
    private static final int MAX_ROWS = 16;

    /// Returns e to the power of the loss.
    double perplexity() {
        return Math.exp(natsPerToken);
    }

    /// Measures a model on the reserved examples of every skill.
    static HeldOutLoss measure(TorchMixtral model, ConversationEncoder encoder, int examplesPerSkill) {
        List<Segment> segments = CorpusGenerator.skills().stream()
                .flatMap(skill -> HeldOut.examples(skill, examplesPerSkill).stream())
                .map(encoder::segment)
                .sorted(Comparator.comparingInt(Segment::length))
                .toList();
        double sum = 0;
        long tokens = 0;
        DataParallel.Result result = null;
        for (int from = 0; from < segments.size(); from += MAX_ROWS) {
            Batch batch = padded(segments.subList(from, Math.min(from + MAX_ROWS, segments.size())));
            DataParallel.Result part = loss(model, batch);
            sum += part.loss();
            tokens += batch.counted().positions().length;
            result = result == null ? part : result.plus(part);
        }
        if (result == null) {
            throw new IllegalArgumentException("no held-out examples to measure the loss on");
        }
        return new HeldOutLoss(sum / tokens, tokens, result.expertCounts());
    }

    /// One example per row; only the assistant's tokens count, padding and prompts do not.
    private static Batch padded(List<Segment> segments) {
        int length = segments.stream().mapToInt(Segment::length).max().orElseThrow() - 1;
        long[] inputs = new long[segments.size() * length];
        long[] targets = new long[inputs.length];
        float[] weights = new float[inputs.length];
        for (int row = 0; row < segments.size(); row++) {
            Segment segment = segments.get(row);
            for (int i = 0; i + 1 < segment.length(); i++) {
                int at = row * length + i;
                inputs[at] = segment.ids()[i];
                targets[at] = segment.ids()[i + 1];
                weights[at] = segment.weights()[i + 1] < 1 ? 0 : 1;
            }
        }
        return new Batch(segments.size(), length, inputs, targets, weights);
    }

    private static DataParallel.Result loss(TorchMixtral model, Batch batch) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            TorchMixtral.Output output = model.forward(batch.inputs(), batch.rows(), batch.length());
            Batch.Counted counted = batch.counted();
            Tensor states = embedding(output.states(), Tensor.create(counted.positions()));
            Tensor losses = DataParallel.tokenLosses(model.logits(states), counted.targets());
            return new DataParallel.Result(
                    losses.sum().item_double(), output.routers().counts());
        }
    }
}
