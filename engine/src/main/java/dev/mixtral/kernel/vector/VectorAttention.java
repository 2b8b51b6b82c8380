package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.AttentionParts;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.tensor.FloatMatrix;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Attention of neighbouring rows over the cache of their sequence, one KV head at a time, as [Kernels] defines it.
///
/// Scores run with 16 positions along the lanes ([KvLayout]), values with the elements of a head along the lanes, so
/// nothing is summed across lanes but the softmax's denominator. Decoded keys and values serve all query heads of the
/// KV head and all rows of a tile.
final class VectorAttention {
    private static final int GROUP = KvLayout.GROUP;
    private static final int CHUNK = Kernels.ATTENTION_CHUNK;
    private static final int LENGTH = Lanes.LENGTH;

    /// Rows of a tile: their scores of a chunk stay in the second-level cache.
    private static final int TILE_ROWS = 8;

    private VectorAttention() {}

    /// What rows of one call have in common. A row's query heads are at `row * numHeads ..` of scores and parts.
    ///
    /// @param numHeads query heads that share the KV head
    private record Heads(FloatMatrix q, KvCache kv, int layer, int kvHead, int numHeads, int headDim) {
        static Heads of(FloatMatrix q, KvCache kv, int layer, int kvHead) {
            int headDim = kv.layout().headDim();
            return new Heads(
                    q, kv, layer, kvHead, q.cols() / headDim / kv.layout().numKvHeads(), headDim);
        }

        int offset(FloatMatrix rows, int row) {
            return rows.offset(row) + kvHead * numHeads * headDim;
        }

        int partSize() {
            return AttentionParts.size(1, headDim);
        }
    }

    static void attend(
            FloatMatrix q,
            int fromRow,
            int numRows,
            KvCache kv,
            int layer,
            int kvHead,
            int firstPosition,
            FloatMatrix out,
            Scratch scratch) {
        Heads heads = Heads.of(q, kv, layer, kvHead);
        for (int i = 0; i < numRows; i += TILE_ROWS) {
            attendTile(heads, fromRow + i, Math.min(TILE_ROWS, numRows - i), firstPosition + i, out, scratch);
        }
    }

    static void attendParts(
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
        Heads heads = Heads.of(q, kv, layer, kvHead);
        for (int chunk = fromChunk; chunk < toChunk; chunk++) {
            int part = at + (chunk - fromChunk) * heads.numHeads * heads.partSize();
            attendChunk(heads, row, 1, position, chunk * CHUNK, parts, part, scratch);
        }
    }

    private static void attendTile(
            Heads heads, int fromRow, int numRows, int firstPosition, FloatMatrix out, Scratch scratch) {
        int headDim = heads.headDim;
        int numHeads = heads.numHeads;
        int partsSize = numRows * numHeads * heads.partSize();
        float[] parts = scratch.accumulators(partsSize + numRows * numHeads * AttentionParts.STATE);
        for (int i = 0; i < numRows * numHeads; i++) {
            int outAt = heads.offset(out, fromRow + i / numHeads) + i % numHeads * headDim;
            AttentionParts.begin(parts, partsSize + i * AttentionParts.STATE, headDim, out.data(), outAt);
        }
        for (int from = 0; from < firstPosition + numRows; from += CHUNK) {
            // Rows that have no position in the last chunk come first.
            int first = Math.max(0, from - firstPosition);
            int part = first * numHeads * heads.partSize();
            attendChunk(heads, fromRow + first, numRows - first, firstPosition + first, from, parts, part, scratch);
            for (int i = first * numHeads; i < numRows * numHeads; i++) {
                int outAt = heads.offset(out, fromRow + i / numHeads) + i % numHeads * headDim;
                int state = partsSize + i * AttentionParts.STATE;
                AttentionParts.add(parts, i * heads.partSize(), parts, state, headDim, out.data(), outAt);
            }
        }
        for (int i = 0; i < numRows * numHeads; i++) {
            int outAt = heads.offset(out, fromRow + i / numHeads) + i % numHeads * headDim;
            AttentionParts.end(parts, partsSize + i * AttentionParts.STATE, headDim, out.data(), outAt);
        }
    }

    /// Computes the parts of one chunk, which begins at position `from`, for rows that all have positions in it.
    private static void attendChunk(
            Heads heads,
            int fromRow,
            int numRows,
            int firstPosition,
            int from,
            float[] parts,
            int partsAt,
            Scratch scratch) {
        int numHeads = heads.numHeads;
        int headDim = heads.headDim;
        float[] scores = scratch.scores(numRows * numHeads * CHUNK + GROUP);
        float[] decoded = scratch.weights(headDim * GROUP);
        score(heads, fromRow, numRows, firstPosition, from, scores, decoded);
        for (int i = 0; i < numRows * numHeads; i++) {
            int n = length(firstPosition + i / numHeads, from);
            int part = partsAt + i * heads.partSize();
            soften(scores, i * CHUNK, n, numRows * numHeads * CHUNK, parts, part + headDim);
            Arrays.fill(parts, part, part + headDim, 0);
        }
        weigh(heads, numRows, firstPosition, from, scores, decoded, parts, partsAt);
    }

    /// Returns how many positions of the chunk that begins at `from` a row at `position` attends to.
    private static int length(int position, int from) {
        return Math.min(CHUNK, position + 1 - from);
    }

    private static void score(
            Heads heads, int fromRow, int numRows, int firstPosition, int from, float[] scores, float[] decoded) {
        int numHeads = heads.numHeads;
        int headDim = heads.headDim;
        int end = length(firstPosition + numRows - 1, from);
        for (int j = 0; j < end; j += GROUP) {
            VectorKvElements.decodeKeys(heads.kv, heads.layer, heads.kvHead, from + j, decoded);
            for (int r = 0; r < numRows; r++) {
                if (j < length(firstPosition + r, from)) {
                    float[] q = heads.q.data();
                    int qAt = heads.offset(heads.q, fromRow + r);
                    int at = r * numHeads * CHUNK + j;
                    int h = 0;
                    for (; h + 4 <= numHeads; h += 4) {
                        scoreFour(q, qAt + h * headDim, decoded, headDim, scores, at + h * CHUNK);
                    }
                    for (; h < numHeads; h++) {
                        scoreOne(q, qAt + h * headDim, decoded, headDim, scores, at + h * CHUNK);
                    }
                }
            }
        }
    }

    /// Scores four queries against [#GROUP] keys: four sums that do not wait for each other.
    private static void scoreFour(float[] q, int qAt, float[] keys, int headDim, float[] scores, int at) {
        float scale = (float) (1 / Math.sqrt(headDim));
        for (int lane = 0; lane < GROUP; lane += LENGTH) {
            FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
            FloatVector sum1 = sum0;
            FloatVector sum2 = sum0;
            FloatVector sum3 = sum0;
            for (int i = 0; i < headDim; i++) {
                FloatVector k = Lanes.load(keys, i * GROUP + lane);
                sum0 = k.fma(Lanes.broadcast(q[qAt + i]), sum0);
                sum1 = k.fma(Lanes.broadcast(q[qAt + headDim + i]), sum1);
                sum2 = k.fma(Lanes.broadcast(q[qAt + 2 * headDim + i]), sum2);
                sum3 = k.fma(Lanes.broadcast(q[qAt + 3 * headDim + i]), sum3);
            }
            sum0.mul(scale).intoArray(scores, at + lane);
            sum1.mul(scale).intoArray(scores, at + CHUNK + lane);
            sum2.mul(scale).intoArray(scores, at + 2 * CHUNK + lane);
            sum3.mul(scale).intoArray(scores, at + 3 * CHUNK + lane);
        }
    }

    private static void scoreOne(float[] q, int qAt, float[] keys, int headDim, float[] scores, int at) {
        float scale = (float) (1 / Math.sqrt(headDim));
        for (int lane = 0; lane < GROUP; lane += LENGTH) {
            FloatVector sum = FloatVector.zero(Lanes.FLOATS);
            for (int i = 0; i < headDim; i++) {
                sum = Lanes.load(keys, i * GROUP + lane).fma(Lanes.broadcast(q[qAt + i]), sum);
            }
            sum.mul(scale).intoArray(scores, at + lane);
        }
    }

    /// Replaces `n` scores by `exp(score - max)`.
    ///
    /// @param lanesAt [#GROUP] floats of working memory in `scores`
    /// @param result receives the greatest score and the sum from index `resultAt` on
    private static void soften(float[] scores, int at, int n, int lanesAt, float[] result, int resultAt) {
        int end = at + (n + GROUP - 1) / GROUP * GROUP;
        // Behind the sequence lie keys of nobody.
        Arrays.fill(scores, at + n, end, Float.NEGATIVE_INFINITY);
        FloatVector greatest = Lanes.load(scores, at);
        for (int j = at + LENGTH; j < end; j += LENGTH) {
            greatest = greatest.max(Lanes.load(scores, j));
        }
        greatest.intoArray(scores, lanesAt);
        float max = scores[lanesAt];
        for (int lane = 1; lane < LENGTH; lane++) {
            max = Math.max(max, scores[lanesAt + lane]);
        }
        for (int j = at; j < end; j += LENGTH) {
            VectorMath.exp(Lanes.load(scores, j).sub(max)).intoArray(scores, j);
        }
        float sum = 0;
        for (int lane = 0; lane < GROUP; lane += LENGTH) {
            FloatVector sums = FloatVector.zero(Lanes.FLOATS);
            for (int j = at + lane; j < end; j += GROUP) {
                sums = sums.add(Lanes.load(scores, j));
            }
            sums.intoArray(scores, lanesAt);
            for (int i = 0; i < LENGTH; i++) {
                sum += scores[lanesAt + i];
            }
        }
        result[resultAt] = max;
        result[resultAt + 1] = sum;
    }

    private static void weigh(
            Heads heads,
            int numRows,
            int firstPosition,
            int from,
            float[] scores,
            float[] decoded,
            float[] parts,
            int partsAt) {
        int numHeads = heads.numHeads;
        int headDim = heads.headDim;
        int partSize = heads.partSize();
        int end = length(firstPosition + numRows - 1, from);
        for (int j = 0; j < end; j += GROUP) {
            int decodedRows = Math.min(GROUP, end - j);
            VectorKvElements.decodeValues(heads.kv, heads.layer, heads.kvHead, from + j, decodedRows, decoded);
            for (int r = 0; r < numRows; r++) {
                int n = Math.min(GROUP, length(firstPosition + r, from) - j);
                int h = 0;
                for (; h + 4 <= numHeads; h += 4) {
                    int i = r * numHeads + h;
                    addFour(scores, i * CHUNK + j, n, decoded, headDim, parts, partsAt + i * partSize, partSize);
                }
                for (; h < numHeads; h++) {
                    int i = r * numHeads + h;
                    addOne(scores, i * CHUNK + j, n, decoded, headDim, parts, partsAt + i * partSize);
                }
            }
        }
    }

    /// Adds the values of `n` positions, weighted, for four heads: `out_h[i] += Σ_j p_h[j] · values[j][i]`.
    ///
    /// @param stride distance of two heads in `out`
    private static void addFour(
            float[] p, int pAt, int n, float[] values, int headDim, float[] out, int at, int stride) {
        int i = 0;
        for (; i <= headDim - LENGTH; i += LENGTH) {
            FloatVector sum0 = Lanes.load(out, at + i);
            FloatVector sum1 = Lanes.load(out, at + stride + i);
            FloatVector sum2 = Lanes.load(out, at + 2 * stride + i);
            FloatVector sum3 = Lanes.load(out, at + 3 * stride + i);
            for (int j = 0; j < n; j++) {
                FloatVector v = Lanes.load(values, j * headDim + i);
                sum0 = v.fma(Lanes.broadcast(p[pAt + j]), sum0);
                sum1 = v.fma(Lanes.broadcast(p[pAt + CHUNK + j]), sum1);
                sum2 = v.fma(Lanes.broadcast(p[pAt + 2 * CHUNK + j]), sum2);
                sum3 = v.fma(Lanes.broadcast(p[pAt + 3 * CHUNK + j]), sum3);
            }
            sum0.intoArray(out, at + i);
            sum1.intoArray(out, at + stride + i);
            sum2.intoArray(out, at + 2 * stride + i);
            sum3.intoArray(out, at + 3 * stride + i);
        }
        for (int h = 0; h < 4; h++) {
            addTail(p, pAt + h * CHUNK, n, values, headDim, i, out, at + h * stride);
        }
    }

    private static void addOne(float[] p, int pAt, int n, float[] values, int headDim, float[] out, int at) {
        int i = 0;
        for (; i <= headDim - LENGTH; i += LENGTH) {
            FloatVector sum = Lanes.load(out, at + i);
            for (int j = 0; j < n; j++) {
                sum = Lanes.load(values, j * headDim + i).fma(Lanes.broadcast(p[pAt + j]), sum);
            }
            sum.intoArray(out, at + i);
        }
        addTail(p, pAt, n, values, headDim, i, out, at);
    }

    private static void addTail(float[] p, int pAt, int n, float[] values, int headDim, int from, float[] out, int at) {
        for (int i = from; i < headDim; i++) {
            for (int j = 0; j < n; j++) {
                out[at + i] = Math.fma(p[pAt + j], values[j * headDim + i], out[at + i]);
            }
        }
    }
}
