package dev.mixtral.kernel;

/// Working memory of one compute thread; contents are undefined between calls. Confined to its thread.
///
/// Grows to the largest request and stays there, so that a running model does not allocate.
public final class Scratch {
    private float[] weights = new float[0];
    private float[] accumulators = new float[0];
    private float[] scores = new float[0];
    private int[] pairs = new int[0];
    private short[] codes = new short[0];

    /// Creates empty working memory.
    public Scratch() {}

    /// Returns at least `n` floats for decoded weights.
    public float[] weights(int n) {
        if (weights.length < n) {
            weights = new float[n];
        }
        return weights;
    }

    /// Returns at least `n` floats for partial sums.
    public float[] accumulators(int n) {
        if (accumulators.length < n) {
            accumulators = new float[n];
        }
        return accumulators;
    }

    /// Returns at least `n` floats for attention scores.
    public float[] scores(int n) {
        if (scores.length < n) {
            // Contexts grow by one: doubling keeps a long generation from allocating at every step.
            scores = new float[Math.max(n, 2 * scores.length)];
        }
        return scores;
    }

    /// Returns at least `n` ints for pairs of activations.
    public int[] pairs(int n) {
        if (pairs.length < n) {
            pairs = new int[n];
        }
        return pairs;
    }

    /// Returns at least `n` shorts for unpacked weights and the sums of their products.
    public short[] codes(int n) {
        if (codes.length < n) {
            codes = new short[n];
        }
        return codes;
    }
}
