package dev.mixtral.kernel.scalar;

import dev.mixtral.kernel.AttentionParts;
import dev.mixtral.kernel.FloatMath;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import dev.mixtral.tensor.Tensor;

/// Plain loops: slow, and the specification that every other implementation is compared with.
///
/// Sums are in double precision, as close to exact as 32-bit results can be, but for packed products and attention,
/// whose arithmetic [Kernels] defines.
public final class ScalarKernels implements Kernels {
    /// Creates the kernels; they hold no state.
    public ScalarKernels() {}

    @Override
    public String name() {
        return "scalar";
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
        int cols = w.cols();
        float[] weights = scratch.weights(cols);
        for (int r = fromRow; r < toRow; r++) {
            Dequantizer.dequantize(w.type(), w.data(), r * w.rowBytes(), weights, 0, cols);
            for (int t = fromToken; t < fromToken + numTokens; t++) {
                double sum = 0;
                for (int c = 0; c < cols; c++) {
                    sum += (double) weights[c] * x.get(t, c);
                }
                out.set(t, r, (float) sum);
            }
        }
    }

    @Override
    public boolean prefersPacked() {
        return false;
    }

    @Override
    public void quantize(FloatMatrix x, int row, QuantizedRows out) {
        for (int run = 0; run < x.cols() / QuantizedRows.RUN; run++) {
            out.quantize(x.data(), x.offset(row) + run * QuantizedRows.RUN, row, run);
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
        PackedProducts products = new PackedProducts(w);
        for (int t = fromToken; t < fromToken + numTokens; t++) {
            for (int r = fromRow; r < toRow; r++) {
                out.set(t, r, products.dot(r, x, t));
            }
        }
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
        PackedProducts products = new PackedProducts(gateUp);
        float[] inner = scratch.accumulators(QuantizedRows.RUN);
        for (int t = fromToken; t < fromToken + numTokens; t++) {
            for (int run = from / QuantizedRows.RUN; run < to / QuantizedRows.RUN; run++) {
                for (int i = 0; i < QuantizedRows.RUN; i++) {
                    int gateRow = gateRow(run * QuantizedRows.RUN + i);
                    float gate = products.dot(gateRow, x, t);
                    inner[i] = FloatMath.silu(gate) * products.dot(gateRow + PackedType.ROWS, x, t);
                }
                hidden.quantize(inner, 0, t, run);
            }
        }
    }

    private static int gateRow(int innerCol) {
        return innerCol / PackedType.ROWS * 2 * PackedType.ROWS + innerCol % PackedType.ROWS;
    }

    @Override
    public void activate(FloatMatrix gate, FloatMatrix up, int row, int from, int to, QuantizedRows hidden) {
        for (int c = from; c < to; c++) {
            gate.set(row, c, FloatMath.silu(gate.get(row, c)) * up.get(row, c));
        }
        for (int run = from / QuantizedRows.RUN; run < to / QuantizedRows.RUN; run++) {
            hidden.quantize(gate.data(), gate.offset(row) + run * QuantizedRows.RUN, row, run);
        }
    }

    @Override
    public void addLowRank(FloatMatrix factors, int factorsRow, float[] b, FloatMatrix y, int row, int from, int to) {
        int rank = b.length / y.cols();
        for (int c = from; c < to; c++) {
            float sum = y.get(row, c);
            for (int k = 0; k < rank; k++) {
                sum = Math.fma(b[k * y.cols() + c], factors.get(factorsRow, k), sum);
            }
            y.set(row, c, sum);
        }
    }

    @Override
    public void rmsNorm(FloatMatrix x, int row, float[] weight, float eps, FloatMatrix out) {
        double sumOfSquares = 0;
        for (int c = 0; c < x.cols(); c++) {
            double value = x.get(row, c);
            sumOfSquares += value * value;
        }
        double scale = 1 / Math.sqrt(sumOfSquares / x.cols() + eps);
        for (int c = 0; c < x.cols(); c++) {
            out.set(row, c, (float) (x.get(row, c) * scale * weight[c]));
        }
    }

    @Override
    public void swiGlu(FloatMatrix gate, FloatMatrix up, int row, int from, int to) {
        for (int c = from; c < to; c++) {
            double z = gate.get(row, c);
            gate.set(row, c, (float) (z / (1 + Math.exp(-z)) * up.get(row, c)));
        }
    }

    @Override
    public void addScaled(FloatMatrix x, int row, float scale, FloatMatrix y, int yRow) {
        for (int c = 0; c < x.cols(); c++) {
            x.set(row, c, Math.fma(scale, y.get(yRow, c), x.get(row, c)));
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
        int headDim = kv.layout().headDim();
        int numHeads = q.cols() / headDim / kv.layout().numKvHeads();
        for (int i = 0; i < numRows; i++) {
            int row = fromRow + i;
            int numChunks = AttentionParts.numChunks(firstPosition + i + 1);
            float[] parts = scratch.accumulators(numChunks * AttentionParts.size(numHeads, headDim));
            attentionParts(q, row, kv, layer, kvHead, firstPosition + i, 0, numChunks, parts, 0, scratch);
            int outAt = out.offset(row) + kvHead * numHeads * headDim;
            AttentionParts.join(parts, 0, numChunks, numHeads, headDim, out.data(), outAt);
        }
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
        ChunkAttention.attend(q, row, kv, layer, kvHead, position, fromChunk, toChunk, parts, at, scratch);
    }
}
