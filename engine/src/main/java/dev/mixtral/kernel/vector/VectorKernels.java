package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.QuantizedRows;
import dev.mixtral.tensor.Tensor;
import jdk.incubator.vector.FloatVector;

/// Kernels on the Vector API: packed weights in 8-bit integers, weights as stored with 32-bit activations and sums.
final class VectorKernels implements Kernels {
    private static final int LENGTH = Lanes.LENGTH;

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public void matmul(
            Tensor w,
            int fromRow,
            int toRow,
            FloatMatrix x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch) {
        VectorMatmul.matmul(w, fromRow, toRow, x, fromToken, numTokens, out, scratch);
    }

    @Override
    public boolean prefersPacked() {
        return true;
    }

    @Override
    public void quantize(FloatMatrix x, int row, QuantizedRows out) {
        for (int run = 0; run < x.cols() / QuantizedRows.RUN; run++) {
            Quantizer.quantize(x.data(), x.offset(row) + run * QuantizedRows.RUN, out, row, run);
        }
    }

    @Override
    public void matmul(
            PackedMatrix w,
            int fromRow,
            int toRow,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch) {
        PackedMatmul.matmul(w, fromRow, toRow, x, fromToken, numTokens, out, scratch);
    }

    @Override
    public void gateUp(
            PackedMatrix gateUp,
            int from,
            int to,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            QuantizedRows hidden,
            Scratch scratch) {
        PackedMatmul.gateUp(gateUp, from, to, x, fromToken, numTokens, hidden, scratch);
    }

    @Override
    public void activate(FloatMatrix gate, FloatMatrix up, int row, int from, int to, QuantizedRows hidden) {
        float[] z = gate.data();
        int at = gate.offset(row);
        for (int c = from; c < to; c += LENGTH) {
            VectorMath.silu(Lanes.load(z, at + c))
                    .mul(Lanes.load(up.data(), up.offset(row) + c))
                    .intoArray(z, at + c);
        }
        for (int run = from / QuantizedRows.RUN; run < to / QuantizedRows.RUN; run++) {
            Quantizer.quantize(z, at + run * QuantizedRows.RUN, hidden, row, run);
        }
    }

    @Override
    public void addLowRank(FloatMatrix factors, int factorsRow, float[] b, FloatMatrix y, int row, int from, int to) {
        int cols = y.cols();
        int rank = b.length / cols;
        int factorsAt = factors.offset(factorsRow);
        int c = from;
        for (; c <= to - 4 * LENGTH; c += 4 * LENGTH) {
            addFourVectors(factors.data(), factorsAt, rank, b, c, cols, y.data(), y.offset(row) + c);
        }
        for (; c < to; c++) {
            float sum = y.get(row, c);
            for (int k = 0; k < rank; k++) {
                sum = Math.fma(b[k * cols + c], factors.get(factorsRow, k), sum);
            }
            y.set(row, c, sum);
        }
    }

    /// Sums stay in registers until all of `b` is added.
    private static void addFourVectors(
            float[] factors, int factorsAt, int rank, float[] b, int bAt, int cols, float[] y, int yAt) {
        FloatVector sum0 = Lanes.load(y, yAt);
        FloatVector sum1 = Lanes.load(y, yAt + LENGTH);
        FloatVector sum2 = Lanes.load(y, yAt + 2 * LENGTH);
        FloatVector sum3 = Lanes.load(y, yAt + 3 * LENGTH);
        for (int k = 0; k < rank; k++) {
            int at = bAt + k * cols;
            FloatVector factor = Lanes.broadcast(factors[factorsAt + k]);
            sum0 = Lanes.load(b, at).fma(factor, sum0);
            sum1 = Lanes.load(b, at + LENGTH).fma(factor, sum1);
            sum2 = Lanes.load(b, at + 2 * LENGTH).fma(factor, sum2);
            sum3 = Lanes.load(b, at + 3 * LENGTH).fma(factor, sum3);
        }
        sum0.intoArray(y, yAt);
        sum1.intoArray(y, yAt + LENGTH);
        sum2.intoArray(y, yAt + 2 * LENGTH);
        sum3.intoArray(y, yAt + 3 * LENGTH);
    }

    @Override
    public void rmsNorm(FloatMatrix x, int row, float[] weight, float eps, FloatMatrix out) {
        int cols = x.cols();
        int at = x.offset(row);
        int outAt = out.offset(row);
        float scale = (float) (1 / Math.sqrt(sumOfSquares(x.data(), at, cols) / cols + eps));
        int c = 0;
        for (; c <= cols - LENGTH; c += LENGTH) {
            Lanes.load(x.data(), at + c).mul(scale).mul(Lanes.load(weight, c)).intoArray(out.data(), outAt + c);
        }
        for (; c < cols; c++) {
            out.data()[outAt + c] = x.data()[at + c] * scale * weight[c];
        }
    }

    private static double sumOfSquares(float[] x, int at, int n) {
        FloatVector sums = FloatVector.zero(Lanes.FLOATS);
        int c = 0;
        for (; c <= n - LENGTH; c += LENGTH) {
            FloatVector v = Lanes.load(x, at + c);
            sums = v.fma(v, sums);
        }
        double sum = 0;
        for (float lane : sums.toArray()) {
            sum += lane;
        }
        for (; c < n; c++) {
            sum += (double) x[at + c] * x[at + c];
        }
        return sum;
    }

    @Override
    public void swiGlu(FloatMatrix gate, FloatMatrix up, int row, int from, int to) {
        float[] z = gate.data();
        int at = gate.offset(row);
        int upAt = up.offset(row);
        int c = from;
        for (; c <= to - LENGTH; c += LENGTH) {
            VectorMath.silu(Lanes.load(z, at + c))
                    .mul(Lanes.load(up.data(), upAt + c))
                    .intoArray(z, at + c);
        }
        for (; c < to; c++) {
            float v = z[at + c];
            z[at + c] = (float) (v / (1 + Math.exp(-v))) * up.data()[upAt + c];
        }
    }

    @Override
    public void addScaled(FloatMatrix x, int row, float scale, FloatMatrix y, int yRow) {
        int at = x.offset(row);
        int yAt = y.offset(yRow);
        int c = 0;
        for (; c <= x.cols() - LENGTH; c += LENGTH) {
            FloatVector factor = Lanes.broadcast(scale);
            Lanes.load(y.data(), yAt + c)
                    .fma(factor, Lanes.load(x.data(), at + c))
                    .intoArray(x.data(), at + c);
        }
        for (; c < x.cols(); c++) {
            x.data()[at + c] = Math.fma(scale, y.data()[yAt + c], x.data()[at + c]);
        }
    }

    @Override
    public void attention(
            FloatMatrix q,
            int fromRow,
            int numRows,
            KvCache kv,
            int layer,
            int kvHead,
            int firstPosition,
            FloatMatrix out,
            Scratch scratch) {
        VectorAttention.attend(q, fromRow, numRows, kv, layer, kvHead, firstPosition, out, scratch);
    }

    @Override
    public void attentionParts(
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
        VectorAttention.attendParts(q, row, kv, layer, kvHead, position, fromChunk, toChunk, parts, at, scratch);
    }
}
