package dev.mixtral.kernel;

import dev.mixtral.kvcache.KvCache;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.QuantizedRows;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Kernels that leave every operation to others: for providers that have some operations of their own, and for
/// observers.
public abstract class DelegatingKernels implements Kernels {
    private final Kernels others;

    /// Creates kernels that do what `others` do.
    protected DelegatingKernels(Kernels others) {
        this.others = others;
    }

    @Override
    public String name() {
        return others.name();
    }

    @Override
    public boolean prefersPacked() {
        return others.prefersPacked();
    }

    @Override
    public MemorySegment allocateWeights(long bytes, Arena arena) {
        return others.allocateWeights(bytes, arena);
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
        others.matmul(w, fromRow, toRow, x, fromToken, numTokens, out, scratch);
    }

    @Override
    public void quantize(FloatMatrix x, int row, QuantizedRows out) {
        others.quantize(x, row, out);
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
        others.matmul(w, fromRow, toRow, x, fromToken, numTokens, out, scratch);
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
        others.gateUp(gateUp, from, to, x, fromToken, numTokens, hidden, scratch);
    }

    @Override
    public void activate(FloatMatrix gate, FloatMatrix up, int row, int from, int to, QuantizedRows hidden) {
        others.activate(gate, up, row, from, to, hidden);
    }

    @Override
    public void addLowRank(FloatMatrix factors, int factorsRow, float[] b, FloatMatrix y, int row, int from, int to) {
        others.addLowRank(factors, factorsRow, b, y, row, from, to);
    }

    @Override
    public void rmsNorm(FloatMatrix x, int row, float[] weight, float eps, FloatMatrix out) {
        others.rmsNorm(x, row, weight, eps, out);
    }

    @Override
    public void swiGlu(FloatMatrix gate, FloatMatrix up, int row, int from, int to) {
        others.swiGlu(gate, up, row, from, to);
    }

    @Override
    public void addScaled(FloatMatrix x, int row, float scale, FloatMatrix y, int yRow) {
        others.addScaled(x, row, scale, y, yRow);
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
        others.attention(q, fromRow, numRows, kv, layer, kvHead, firstPosition, out, scratch);
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
        others.attentionParts(q, row, kv, layer, kvHead, position, fromChunk, toChunk, parts, at, scratch);
    }
}
