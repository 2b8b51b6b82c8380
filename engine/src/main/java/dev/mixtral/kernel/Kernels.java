package dev.mixtral.kernel;

import dev.mixtral.kvcache.KvCache;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.QuantizedRows;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Numeric kernels over row-major activations, and weights as stored in the file or packed.
///
/// **Batch invariance.** The result for a row of activations depends on that row and the weights only: not on the
/// other rows of the call, nor on how output columns are split over calls. That is what makes a prompt in chunks
/// equal a prompt at once, a batch equal its single sequences, and any number of threads equal one, bit for bit.
///
/// **Packed arithmetic.** Products with a [PackedMatrix] are the same bits from every provider, as they are defined
/// operation by operation. For each output, over the runs of 32 columns in ascending order, with fused operations:
///
/// ```
/// acc = fma(float(Σ w · q), scale · d, acc)         Σ of integers, exact
/// acc = fma(min, d · Σ q, acc)                      where the type has minima
/// ```
///
/// where `w` are the integers of the weights, `q` the codes and `d` the scale of the activations. Types with groups
/// of 16 do the first line for either half, then the second for either half.
///
/// **Attention arithmetic** is defined likewise, in 32-bit floats and with fused operations, for each query head over
/// chunks of [#ATTENTION_CHUNK] positions from the beginning of the sequence. A chunk by itself:
///
/// ```
/// s_j = (Σ_i k_j[i] · q[i]) · scale                 i ascending from 0, scale = float(1 / sqrt(headDim))
/// max = max_j s_j,  p_j = exp(s_j - max)            FloatMath.exp
/// sum = Σ_l (Σ_{j mod 16 = l} p_j)                  j ascending, then l
/// part[i] = Σ_j p_j · v_j[i]                        j ascending from 0
/// ```
///
/// Chunks are then joined in ascending order, as [AttentionParts] does. As keys and values of every
/// [dev.mixtral.kvcache.KvType] are 32-bit floats exactly, neither the tiles in which rows are computed, nor who
/// computes which chunk, nor the provider changes a bit.
///
/// Implementations are stateless and thread-safe; working memory is the caller's [Scratch]. Arguments are trusted:
/// shapes were checked when the checkpoint was opened.
public interface Kernels {
    /// Positions that share a softmax before it is joined with that of others; a multiple of the blocks of a cache.
    int ATTENTION_CHUNK = 512;

    /// Alignment of packed weights: a huge page.
    long WEIGHTS_ALIGNMENT = 2 << 20;

    /// Returns the provider's name: `scalar`, `vector`.
    String name();

    /// Returns whether packed matrices are this provider's fast path, so that quantised weights are packed for it.
    boolean prefersPacked();

    /// Multiplies activations by a weight matrix: `out[t, r] = Σ_c w[r, c] · x[t, c]`.
    ///
    /// @param w `[rows, cols]`, any type
    /// @param fromRow first row of `w`, which is the first column of `out` that is written
    /// @param toRow end of the rows, exclusive
    /// @param x `[T, cols]`
    /// @param fromToken first row of `x` and `out` in use
    /// @param numTokens rows of `x` and `out` in use
    /// @param out `[T, rows]`; columns outside `[fromRow, toRow)` and other rows are not touched
    void matmul(
            Tensor w,
            int fromRow,
            int toRow,
            FloatMatrix x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch);

    /// Allocates memory for packed weights, where these kernels read fastest.
    ///
    /// @return `bytes` bytes of zeros, aligned to 2 MiB, which live as long as the arena
    default MemorySegment allocateWeights(long bytes, Arena arena) {
        return arena.allocate(bytes, WEIGHTS_ALIGNMENT);
    }

    /// Quantises a row of activations, as [QuantizedRows#quantize] does.
    ///
    /// @param x `[T, cols]`, columns a multiple of 32
    /// @param out row `row` is overwritten
    void quantize(FloatMatrix x, int row, QuantizedRows out);

    /// Multiplies 8-bit activations by a packed matrix: `out[t, r] = Σ_c w[r, c] · x[t, c]`.
    ///
    /// @param w `[rows, cols]`
    /// @param fromRow first row of `w`, a multiple of 16
    /// @param toRow end of the rows, exclusive; a multiple of 16 or the last
    /// @param x `[T, cols]`
    /// @param out `[T, rows]`; columns outside `[fromRow, toRow)` and other rows are not touched
    void matmul(
            PackedMatrix w,
            int fromRow,
            int toRow,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch);

    /// Computes columns of an expert's inner layer: `silu(gate · x) · (up · x)`, quantised again.
    ///
    /// `silu(z) = z / (1 + exp(-z))` in 32-bit floats with the exponential of [FloatMath#exp].
    ///
    /// @param gateUp `[2 · ffnDim, cols]`, panels of gate and up in turn: panel `2 i` holds rows `16 i … 16 i + 15`
    ///     of the gate, panel `2 i + 1` those of up
    /// @param from first column of the inner layer, a multiple of 32
    /// @param to end of the columns, exclusive; a multiple of 32
    /// @param x `[T, cols]`
    /// @param hidden `[T, ffnDim]`; columns `[from, to)` of the rows in use are overwritten
    void gateUp(
            PackedMatrix gateUp,
            int from,
            int to,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            QuantizedRows hidden,
            Scratch scratch);

    /// Does the second half of [#gateUp] where something was added to its products: `gate = silu(gate) · up` for a part
    /// of a row, with the same exponential, quantised as well. The same bits from every provider.
    ///
    /// @param gate `[T, F]`; columns `[from, to)` of `row`, multiples of 32, are overwritten
    /// @param up `[T, F]`
    /// @param hidden `[T, F]`; the same columns are overwritten
    void activate(FloatMatrix gate, FloatMatrix up, int row, int from, int to, QuantizedRows hidden);

    /// Adds the second product of an adapter (LoRA, arXiv 2106.09685) to a part of a row: for each column `c` by
    /// itself, `y[c] = fma(b[k · cols + c], factors[k], y[c])` with `k` ascending from 0. The same bits from every
    /// provider.
    ///
    /// @param factors `[T, ≥ rank]`: the first product, of which row `factorsRow` counts
    /// @param b `[rank, cols]`, where `cols` are those of `y`
    /// @param y columns `[from, to)` of `row` are advanced
    void addLowRank(FloatMatrix factors, int factorsRow, float[] b, FloatMatrix y, int row, int from, int to);

    /// Normalises a row to root mean square 1 and scales it: `out = x / sqrt(mean(x²) + eps) · weight`
    /// (RMSNorm, arXiv 1910.07467).
    ///
    /// @param weight `[cols]`
    void rmsNorm(FloatMatrix x, int row, float[] weight, float eps, FloatMatrix out);

    /// Applies the gated activation to a part of a row: `gate = silu(gate) · up` with `silu(z) = z / (1 + exp(-z))`
    /// (SwiGLU, arXiv 2002.05202).
    ///
    /// @param gate `[T, F]`, columns `[from, to)` of `row` are overwritten
    /// @param up `[T, F]`
    void swiGlu(FloatMatrix gate, FloatMatrix up, int row, int from, int to);

    /// Adds a multiple of a row: `x[row] += scale · y[yRow]`.
    void addScaled(FloatMatrix x, int row, float scale, FloatMatrix y, int yRow);

    /// Attends from neighbouring positions of one sequence, each to all positions up to itself, for the query heads
    /// that share one KV head (grouped-query attention, arXiv 2305.13245): `o_h = softmax(q_h · kᵀ / sqrt(headDim))
    /// · v`.
    ///
    /// @param q `[T, H * headDim]`, rotated queries
    /// @param fromRow first row of `q` and `out` in use
    /// @param numRows rows in use; row `fromRow + i` is position `firstPosition + i`
    /// @param kv keys and values of these rows' sequence, written up to the last row's position
    /// @param layer layer of the cache
    /// @param kvHead KV head; serves query heads `kvHead * H / K .. (kvHead + 1) * H / K - 1`
    /// @param out `[T, H * headDim]`; the columns of these query heads are overwritten
    void attention(
            FloatMatrix q,
            int fromRow,
            int numRows,
            KvCache kv,
            int layer,
            int kvHead,
            int firstPosition,
            FloatMatrix out,
            Scratch scratch);

    /// Computes a part of the attention of one position, so that several threads can share a long sequence
    /// (flash-decoding): its chunks `fromChunk .. toChunk - 1`, each by itself. [AttentionParts#join] makes of all
    /// chunks what [#attention] makes of the sequence, to the bit.
    ///
    /// @param position the row's position
    /// @param parts receives the chunks from index `at` on, [AttentionParts] of this KV head's query heads each
    void attentionParts(
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
            Scratch scratch);
}
