package dev.mixtral.train;

import dev.mixtral.train.corpus.CorpusGenerator;
import dev.mixtral.train.corpus.HeldOut;
import java.util.List;

/// Measures how well a model predicts held-out conversations, and how evenly its experts are used while it does.
///
/// @param natsPerToken mean negative log-likelihood of the tokens that the assistant writes
/// @param numTokens how many those are
/// @param expertCounts tokens per layer and expert, prompts included
record HeldOutLoss(double natsPerToken, long numTokens, long[][] expertCounts) {
    /// Returns e to the power of the loss.
    double perplexity() {
        return Math.exp(natsPerToken);
    }

    /// Measures a model on the reserved examples of every skill, one by one: padding would count as use of experts.
    static HeldOutLoss measure(TorchMixtral model, ConversationEncoder encoder, int examplesPerSkill) {
        List<Batch> examples = CorpusGenerator.skills().stream()
                .flatMap(skill -> HeldOut.examples(skill, examplesPerSkill).stream())
                .map(example -> answersOnly(encoder.segment(example)))
                .toList();
        double sum = 0;
        long tokens = 0;
        GradientPass pass = new WholeGraphPass(model, 0, 0);
        BatchResult result = null;
        for (Batch batch : examples) {
            BatchResult part = pass.evaluate(batch);
            sum += part.loss();
            tokens += batch.counted().positions().length;
            result = result == null ? part : result.plus(part);
        }
        if (result == null) {
            throw new IllegalArgumentException("no held-out examples to measure the loss on");
        }
        return new HeldOutLoss(sum / tokens, tokens, result.expertCounts());
    }

    private static Batch answersOnly(Segment segment) {
        int length = segment.length() - 1;
        long[] inputs = new long[length];
        long[] targets = new long[length];
        float[] weights = new float[length];
        for (int i = 0; i < length; i++) {
            inputs[i] = segment.ids()[i];
            targets[i] = segment.ids()[i + 1];
            weights[i] = segment.weights()[i + 1] < 1 ? 0 : 1;
        }
        return new Batch(1, length, inputs, targets, weights);
    }
}
