package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.FloatMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Attention of one position over a cached sequence, one KV head at a time.
///
/// Scores run with 16 positions along the lanes ([KvLayout]), values with the elements of a head along the lanes, so
/// nothing is summed across lanes but the softmax's denominator. Decoded keys and values serve all query heads of the
/// KV head.
final class VectorAttention {
    private static final int GROUP = KvLayout.GROUP;
    private static final int LENGTH = Lanes.LENGTH;

    private VectorAttention() {}

    static void attend(
            FloatMatrix q,
            int row,
            KvCache kv,
            int layer,
            int kvHead,
            int numPositions,
            FloatMatrix out,
            Scratch scratch) {
        int headDim = kv.layout().headDim();
        int heads = q.cols() / headDim / kv.layout().numKvHeads();
        int stride = (numPositions + GROUP - 1) / GROUP * GROUP;
        int qAt = q.offset(row) + kvHead * heads * headDim;
        float[] scores = scratch.scores(heads * stride + LENGTH);
        float[] decoded = scratch.weights(headDim * GROUP);
        for (int position = 0; position < numPositions; position += GROUP) {
            decodeKeys(kv, layer, kvHead, position, decoded);
            for (int h = 0; h < heads; h++) {
                groupScores(q.data(), qAt + h * headDim, decoded, headDim, scores, h * stride + position);
            }
        }
        for (int h = 0; h < heads; h++) {
            softmax(scores, h * stride, numPositions, stride, heads * stride);
        }
        int outAt = out.offset(row) + kvHead * heads * headDim;
        Arrays.fill(out.data(), outAt, outAt + heads * headDim, 0);
        for (int position = 0; position < numPositions; position += GROUP) {
            int n = Math.min(GROUP, numPositions - position);
            decodeValues(kv, layer, kvHead, position, n, decoded);
            for (int h = 0; h < heads; h++) {
                addValues(scores, h * stride + position, n, decoded, headDim, out.data(), outAt + h * headDim);
            }
        }
    }

    private static void decodeKeys(KvCache kv, int layer, int kvHead, int position, float[] decoded) {
        KvLayout layout = kv.layout();
        decode(kv, position, layout.keyGroupOffset(layer, kvHead, position), layout.headDim() * GROUP, decoded);
    }

    private static void decodeValues(KvCache kv, int layer, int kvHead, int position, int n, float[] decoded) {
        KvLayout layout = kv.layout();
        decode(kv, position, layout.valueOffset(layer, kvHead, position), n * layout.headDim(), decoded);
    }

    private static void decode(KvCache kv, int position, long offset, int n, float[] decoded) {
        MemorySegment block = kv.block(position);
        if (kv.layout().type() == KvType.F32) {
            MemorySegment.copy(block, ValueLayout.JAVA_FLOAT, offset, decoded, 0, n);
            return;
        }
        int i = 0;
        for (; i <= n - LENGTH; i += LENGTH) {
            Lanes.loadF16(block, offset + 2L * i).intoArray(decoded, i);
        }
        for (; i < n; i++) {
            decoded[i] = Float.float16ToFloat(block.get(ValueLayout.JAVA_SHORT, offset + 2L * i));
        }
    }

    /// Scores one query against [#GROUP] keys: `scores[j] = Σ_i q[i] · keys[i][j] / sqrt(headDim)`.
    private static void groupScores(float[] q, int qAt, float[] keys, int headDim, float[] scores, int at) {
        float scale = (float) (1 / Math.sqrt(headDim));
        for (int part = 0; part < GROUP; part += LENGTH) {
            FloatVector even = FloatVector.zero(Lanes.FLOATS);
            FloatVector odd = FloatVector.zero(Lanes.FLOATS);
            for (int i = 0; i < headDim; i += 2) {
                even = Lanes.load(keys, i * GROUP + part).fma(Lanes.broadcast(q[qAt + i]), even);
                odd = Lanes.load(keys, (i + 1) * GROUP + part).fma(Lanes.broadcast(q[qAt + i + 1]), odd);
            }
            even.add(odd).mul(scale).intoArray(scores, at + part);
        }
    }

    /// Turns scores into probabilities, in place.
    ///
    /// @param padded `n` rounded up to whole groups: what lies between holds scores of positions not yet written
    /// @param lanesAt [#LENGTH] floats of working memory in `scores`
    private static void softmax(float[] scores, int at, int n, int padded, int lanesAt) {
        float max = Float.NEGATIVE_INFINITY;
        for (int j = at; j < at + n; j++) {
            max = Math.max(max, scores[j]);
        }
        for (int j = at; j < at + padded; j += LENGTH) {
            VectorMath.exp(Lanes.load(scores, j).sub(max)).intoArray(scores, j);
        }
        // Behind the sequence lie keys of nobody.
        Arrays.fill(scores, at + n, at + padded, 0);
        FloatVector sums = FloatVector.zero(Lanes.FLOATS);
        for (int j = at; j < at + padded; j += LENGTH) {
            sums = sums.add(Lanes.load(scores, j));
        }
        sums.intoArray(scores, lanesAt);
        float reciprocal = 1 / Lanes.sum(scores, lanesAt);
        for (int j = at; j < at + padded; j += LENGTH) {
            Lanes.load(scores, j).mul(reciprocal).intoArray(scores, j);
        }
    }

    /// Adds the values of `n` positions, weighted: `out[i] += Σ_j p[j] · values[j][i]`.
    private static void addValues(float[] p, int pAt, int n, float[] values, int headDim, float[] out, int outAt) {
        int i = 0;
        for (; i <= headDim - LENGTH; i += LENGTH) {
            FloatVector sum = Lanes.load(out, outAt + i);
            for (int j = 0; j < n; j++) {
                sum = Lanes.load(values, j * headDim + i).fma(Lanes.broadcast(p[pAt + j]), sum);
            }
            sum.intoArray(out, outAt + i);
        }
        for (; i < headDim; i++) {
            for (int j = 0; j < n; j++) {
                out[outAt + i] = Math.fma(p[pAt + j], values[j * headDim + i], out[outAt + i]);
            }
        }
    }
}
