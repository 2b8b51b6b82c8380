package dev.mixtral.kernel.scalar;

import dev.mixtral.kernel.AttentionParts;
import dev.mixtral.kernel.FloatMath;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.tensor.FloatMatrix;
import java.util.Arrays;

/// Attention over chunks of a sequence, as [Kernels] defines it, for the query heads that share a KV head.
final class ChunkAttention {
    private static final int CHUNK = Kernels.ATTENTION_CHUNK;

    private ChunkAttention() {}

    /// Computes the parts of some chunks of one row: see [Kernels#attentionParts].
    static void attend(
            FloatMatrix q,
            int row,
            KvCache kv,
            int layer,
            int kvHead,
            int position,
            int fromChunk,
            int toChunk,
            float[] parts,
            int at,
            Scratch scratch) {
        int headDim = kv.layout().headDim();
        int numHeads = q.cols() / headDim / kv.layout().numKvHeads();
        int headSize = AttentionParts.size(1, headDim);
        int qAt = q.offset(row) + kvHead * numHeads * headDim;
        float[] scores = scratch.scores(numHeads * CHUNK);
        for (int chunk = fromChunk; chunk < toChunk; chunk++) {
            int from = chunk * CHUNK;
            int n = Math.min(CHUNK, position + 1 - from);
            int part = at + (chunk - fromChunk) * numHeads * headSize;
            score(q.data(), qAt, numHeads, kv, layer, kvHead, from, n, scores, scratch.weights(headDim));
            for (int h = 0; h < numHeads; h++) {
                soften(scores, h * CHUNK, n, parts, part + h * headSize + headDim);
            }
            weigh(scores, numHeads, kv, layer, kvHead, from, n, parts, part);
        }
    }

    /// Scores positions `from .. from + n - 1`.
    private static void score(
            float[] q,
            int qAt,
            int numHeads,
            KvCache kv,
            int layer,
            int kvHead,
            int from,
            int n,
            float[] scores,
            float[] key) {
        int headDim = kv.layout().headDim();
        float scale = (float) (1 / Math.sqrt(headDim));
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < headDim; i++) {
                key[i] = kv.key(layer, kvHead, from + j, i);
            }
            for (int h = 0; h < numHeads; h++) {
                float dot = 0;
                for (int i = 0; i < headDim; i++) {
                    dot = Math.fma(key[i], q[qAt + h * headDim + i], dot);
                }
                scores[h * CHUNK + j] = dot * scale;
            }
        }
    }

    /// Replaces scores by `exp(score - max)`.
    ///
    /// @param result receives the greatest score and the sum from index `resultAt` on
    private static void soften(float[] scores, int at, int n, float[] result, int resultAt) {
        float max = Float.NEGATIVE_INFINITY;
        for (int j = 0; j < n; j++) {
            max = Math.max(max, scores[at + j]);
        }
        float[] lanes = new float[KvLayout.GROUP];
        for (int j = 0; j < n; j++) {
            scores[at + j] = FloatMath.exp(scores[at + j] - max);
            lanes[j % KvLayout.GROUP] += scores[at + j];
        }
        float sum = 0;
        for (float lane : lanes) {
            sum += lane;
        }
        result[resultAt] = max;
        result[resultAt + 1] = sum;
    }

    private static void weigh(
            float[] weights, int numHeads, KvCache kv, int layer, int kvHead, int from, int n, float[] parts, int at) {
        int headDim = kv.layout().headDim();
        int headSize = AttentionParts.size(1, headDim);
        for (int h = 0; h < numHeads; h++) {
            Arrays.fill(parts, at + h * headSize, at + h * headSize + headDim, 0);
        }
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < headDim; i++) {
                float value = kv.value(layer, kvHead, from + j, i);
                for (int h = 0; h < numHeads; h++) {
                    int to = at + h * headSize + i;
                    parts[to] = Math.fma(weights[h * CHUNK + j], value, parts[to]);
                }
            }
        }
    }
}
