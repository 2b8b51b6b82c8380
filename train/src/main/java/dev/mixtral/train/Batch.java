package dev.mixtral.train;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Sequences of equal length with the token that follows each position, and how much that token counts.
///
/// @param rows sequences
/// @param length positions of each
/// @param inputs `rows * length` ids
/// @param targets the id after each input
/// @param weights loss weight of each target
/// @param starts where in its row the example of each input begins, or `null` if all examples of a row see
///     each other
public record Batch(int rows, int length, long[] inputs, long[] targets, float[] weights, int @Nullable [] starts) {
    public Batch {
        int size = rows * length;
        if (inputs.length != size || targets.length != size || weights.length != size) {
            throw new IllegalArgumentException("a batch of %d x %d has %d inputs, %d targets and %d weights"
                    .formatted(rows, length, inputs.length, targets.length, weights.length));
        }
    }

    /// A batch whose rows are not divided.
    public Batch(int rows, int length, long[] inputs, long[] targets, float[] weights) {
        this(rows, length, inputs, targets, weights, null);
    }

    /// Returns the rows `from .. to - 1`.
    public Batch rows(int from, int to) {
        int begin = from * length;
        int end = to * length;
        return new Batch(
                to - from,
                length,
                Arrays.copyOfRange(inputs, begin, end),
                Arrays.copyOfRange(targets, begin, end),
                Arrays.copyOfRange(weights, begin, end),
                starts == null ? null : Arrays.copyOfRange(starts, begin, end));
    }

    /// Returns the positions of all rows.
    public int numTokens() {
        return rows * length;
    }

    /// Returns the sum of the weights.
    public double totalWeight() {
        double sum = 0;
        for (float weight : weights) {
            sum += weight;
        }
        return sum;
    }

    /// Returns the positions whose weight is not 0: only they need logits, which cost a third of a small model.
    public Counted counted() {
        int[] positions =
                IntStream.range(0, weights.length).filter(i -> weights[i] > 0).toArray();
        long[] at = new long[positions.length];
        long[] countedTargets = new long[positions.length];
        float[] countedWeights = new float[positions.length];
        for (int i = 0; i < positions.length; i++) {
            at[i] = positions[i];
            countedTargets[i] = targets[positions[i]];
            countedWeights[i] = weights[positions[i]];
        }
        return new Counted(at, countedTargets, countedWeights);
    }

    /// The positions of a batch that count.
    ///
    /// @param positions places in `inputs`
    public record Counted(long[] positions, long[] targets, float[] weights) {}
}
