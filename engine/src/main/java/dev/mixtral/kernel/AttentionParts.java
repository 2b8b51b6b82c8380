package dev.mixtral.kernel;

import java.util.Arrays;

/// Partial results of attention over chunks of a sequence, and how they are joined (flash attention, arXiv
/// 2205.14135).
///
/// A part is, for each query head of a KV head, `headDim` weighted values, then the greatest score and the sum of
/// the weights: [#size] floats. Parts of a sequence's chunks follow each other. Joining is the specification of
/// what kernels with their own code do, to the last bit:
///
/// ```
/// m = max(max, max_c),  f = exp(max - m),  g = exp(max_c - m)
/// sum = fma(sum_c, g, sum · f),  out[i] = fma(part_c[i], g, out[i] · f),  max = m
/// ```
///
/// from `max = -∞`, `sum = 0`, `out = 0` over the chunks in ascending order; then `out[i] · (1 / sum)`.
public final class AttentionParts {
    /// Floats of a join in progress, for each head.
    public static final int STATE = 2;

    private AttentionParts() {}

    /// Returns the floats of one chunk's part.
    ///
    /// @param numHeads query heads that share the KV head
    public static int size(int numHeads, int headDim) {
        return numHeads * headSize(headDim);
    }

    private static int headSize(int headDim) {
        return headDim + 2;
    }

    /// Returns the number of chunks of a sequence.
    public static int numChunks(int numPositions) {
        return (numPositions + Kernels.ATTENTION_CHUNK - 1) / Kernels.ATTENTION_CHUNK;
    }

    /// Joins all chunks of one row.
    ///
    /// @param parts [#size] floats for each chunk from index `at` on
    /// @param out receives `[numHeads, headDim]` from index `outAt` on
    public static void join(float[] parts, int at, int numChunks, int numHeads, int headDim, float[] out, int outAt) {
        float[] state = new float[STATE];
        for (int h = 0; h < numHeads; h++) {
            int to = outAt + h * headDim;
            begin(state, 0, headDim, out, to);
            for (int chunk = 0; chunk < numChunks; chunk++) {
                int part = at + chunk * size(numHeads, headDim) + h * headSize(headDim);
                add(parts, part, state, 0, headDim, out, to);
            }
            end(state, 0, headDim, out, to);
        }
    }

    /// Begins to join the chunks of one head.
    ///
    /// @param state holds the greatest score and the sum until [#end]: [#STATE] floats from index `stateAt` on
    /// @param out receives `[headDim]` from index `outAt` on
    public static void begin(float[] state, int stateAt, int headDim, float[] out, int outAt) {
        state[stateAt] = Float.NEGATIVE_INFINITY;
        state[stateAt + 1] = 0;
        Arrays.fill(out, outAt, outAt + headDim, 0);
    }

    /// Joins the next chunk of one head, whose part begins at index `at`.
    public static void add(float[] parts, int at, float[] state, int stateAt, int headDim, float[] out, int outAt) {
        float chunkMax = parts[at + headDim];
        float max = Math.max(state[stateAt], chunkMax);
        float before = FloatMath.exp(state[stateAt] - max);
        float now = FloatMath.exp(chunkMax - max);
        state[stateAt] = max;
        state[stateAt + 1] = Math.fma(parts[at + headDim + 1], now, state[stateAt + 1] * before);
        for (int i = 0; i < headDim; i++) {
            out[outAt + i] = Math.fma(parts[at + i], now, out[outAt + i] * before);
        }
    }

    /// Ends the join of one head.
    public static void end(float[] state, int stateAt, int headDim, float[] out, int outAt) {
        float reciprocal = 1 / state[stateAt + 1];
        for (int i = 0; i < headDim; i++) {
            out[outAt + i] *= reciprocal;
        }
    }
}
