package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.Tensor;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Matrix multiplication by weights as stored: a few rows are decoded into the first-level cache, piece by piece, and
/// multiplied with every token of the batch while they are there.
///
/// Each (row, token) pair owns one vector of partial sums that runs over the columns in order; tiles only change
/// which pairs advance together. So every pair is rounded the same way in any batch.
///
/// Methods that hold vectors are kept small: past its inlining budget C2 puts every vector on the heap, at a sixth of
/// the speed (four rows of fused Q4_0 did).
final class VectorMatmul {
    /// Columns decoded at a time: a multiple of every block size, and 4 rows of it are 8 KiB.
    private static final int PIECE = 512;

    private static final int TILE_ROWS = 4;
    private static final int TILE_TOKENS = 4;

    /// Tokens that share one decoding: their activations of one piece fit the second-level cache.
    private static final int TOKEN_BLOCK = 256;

    private static final int LENGTH = Lanes.LENGTH;

    /// From one pair's sums to the next one's: even runs, then odd runs.
    private static final int PAIR = 2 * LENGTH;

    /// Where the sums of the columns after the last whole vector lie, behind the vectors of partial sums.
    private static final int TAIL = TILE_ROWS * TOKEN_BLOCK * PAIR;

    private VectorMatmul() {}

    static void matmul(
            Tensor w,
            int fromRow,
            int toRow,
            FloatMatrix x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch) {
        if (numTokens == 1 && w.type() == DType.Q4_0 && LENGTH == 16) {
            FusedQ4x0.multiply(w, fromRow, toRow, x, fromToken, out, scratch);
            return;
        }
        if (numTokens == 1) {
            multiplyOneToken(w, fromRow, toRow, x, fromToken, out, scratch);
            return;
        }
        int toToken = fromToken + numTokens;
        for (int token = fromToken; token < toToken; token += TOKEN_BLOCK) {
            int tokens = Math.min(TOKEN_BLOCK, toToken - token);
            for (int row = fromRow; row < toRow; row += TILE_ROWS) {
                multiplyRows(w, row, Math.min(TILE_ROWS, toRow - row), x, token, tokens, out, scratch);
            }
        }
    }

    /// Takes one row after the other: with nothing to share a decoded row with, what counts is to read one stream.
    private static void multiplyOneToken(
            Tensor w, int fromRow, int toRow, FloatMatrix x, int token, FloatMatrix out, Scratch scratch) {
        int cols = w.cols();
        long rowBytes = w.rowBytes();
        float[] weights = scratch.weights(PIECE);
        float[] sums = scratch.accumulators(PAIR);
        for (int row = fromRow; row < toRow; row++) {
            Arrays.fill(sums, 0, PAIR, 0);
            float tail = 0;
            for (int col = 0; col < cols; col += PIECE) {
                int n = Math.min(PIECE, cols - col);
                int whole = n - n % LENGTH;
                int xAt = x.offset(token) + col;
                Unpack.unpack(w.type(), w.data(), row * rowBytes + w.type().byteSize(col), weights, 0, n);
                dotRuns(weights, whole, x.data(), xAt, sums);
                for (int c = whole; c < n; c++) {
                    tail = Math.fma(weights[c], x.data()[xAt + c], tail);
                }
            }
            Lanes.load(sums, 0).add(Lanes.load(sums, LENGTH)).intoArray(sums, 0);
            out.set(token, row, Lanes.sum(sums, 0) + tail);
        }
    }

    /// Advances both sums of a pair by `n` columns.
    private static void dotRuns(float[] w, int n, float[] x, int xAt, float[] sums) {
        FloatVector even = Lanes.load(sums, 0);
        FloatVector odd = Lanes.load(sums, LENGTH);
        int c = 0;
        for (; c <= n - PAIR; c += PAIR) {
            even = Lanes.load(w, c).fma(Lanes.load(x, xAt + c), even);
            odd = Lanes.load(w, c + LENGTH).fma(Lanes.load(x, xAt + c + LENGTH), odd);
        }
        if (c < n) {
            even = Lanes.load(w, c).fma(Lanes.load(x, xAt + c), even);
        }
        even.intoArray(sums, 0);
        odd.intoArray(sums, LENGTH);
    }

    private static void multiplyRows(
            Tensor w, int row, int rows, FloatMatrix x, int token, int tokens, FloatMatrix out, Scratch scratch) {
        int cols = w.cols();
        long rowBytes = w.rowBytes();
        float[] weights = scratch.weights(TILE_ROWS * PIECE);
        float[] sums = scratch.accumulators(TAIL + TILE_ROWS * TOKEN_BLOCK);
        Arrays.fill(sums, 0, rows * tokens * PAIR, 0);
        Arrays.fill(sums, TAIL, TAIL + rows * tokens, 0);
        for (int col = 0; col < cols; col += PIECE) {
            int n = Math.min(PIECE, cols - col);
            long pieceOffset = row * rowBytes + w.type().byteSize(col);
            for (int r = 0; r < rows; r++) {
                Unpack.unpack(w.type(), w.data(), pieceOffset + r * rowBytes, weights, r * PIECE, n);
            }
            multiplyPiece(weights, rows, n, x, x.offset(token) + col, tokens, sums);
        }
        for (int pair = 0; pair < rows * tokens; pair++) {
            int at = pair * PAIR;
            Lanes.load(sums, at).add(Lanes.load(sums, at + LENGTH)).intoArray(sums, at);
            float sum = Lanes.sum(sums, at) + sums[TAIL + pair];
            out.set(token + pair / rows, row + pair % rows, sum);
        }
    }

    /// Advances the sums of all pairs by `n` columns.
    ///
    /// @param xAt where the first token's columns start in `x`
    private static void multiplyPiece(
            float[] weights, int rows, int n, FloatMatrix x, int xAt, int tokens, float[] sums) {
        int whole = n - n % LENGTH;
        multiplyRuns(weights, rows, 0, whole, x, xAt, tokens, sums);
        multiplyRuns(weights, rows, LENGTH, whole, x, xAt, tokens, sums);
        if (whole < n) {
            multiplyTail(weights, rows, whole, n, x, xAt, tokens, sums);
        }
    }

    /// Advances the sums of the even runs of columns (`from` is 0) or of the odd ones (`from` is [Lanes#LENGTH]).
    private static void multiplyRuns(
            float[] weights, int rows, int from, int to, FloatMatrix x, int xAt, int tokens, float[] sums) {
        int t = 0;
        if (rows == TILE_ROWS) {
            for (; t <= tokens - TILE_TOKENS; t += TILE_TOKENS) {
                int at = t * TILE_ROWS * PAIR + from;
                tile4x4(weights, from, to, x.data(), xAt + t * x.cols(), x.cols(), sums, at);
            }
            for (; t < tokens; t++) {
                tile4x1(weights, from, to, x.data(), xAt + t * x.cols(), sums, t * TILE_ROWS * PAIR + from);
            }
        }
        for (; t < tokens; t++) {
            for (int r = 0; r < rows; r++) {
                int at = (t * rows + r) * PAIR + from;
                tile1x1(weights, r * PIECE, from, to, x.data(), xAt + t * x.cols(), sums, at);
            }
        }
    }

    private static void multiplyTail(
            float[] weights, int rows, int from, int to, FloatMatrix x, int xAt, int tokens, float[] sums) {
        for (int pair = 0; pair < rows * tokens; pair++) {
            int w = pair % rows * PIECE;
            int token = xAt + pair / rows * x.cols();
            for (int c = from; c < to; c++) {
                sums[TAIL + pair] = Math.fma(weights[w + c], x.data()[token + c], sums[TAIL + pair]);
            }
        }
    }

    private static void tile1x1(float[] w, int wAt, int from, int to, float[] x, int xAt, float[] sums, int at) {
        FloatVector sum = Lanes.load(sums, at);
        for (int c = from; c < to; c += PAIR) {
            sum = Lanes.load(w, wAt + c).fma(Lanes.load(x, xAt + c), sum);
        }
        sum.intoArray(sums, at);
    }

    private static void tile4x1(float[] w, int from, int to, float[] x, int xAt, float[] sums, int at) {
        FloatVector s0 = Lanes.load(sums, at);
        FloatVector s1 = Lanes.load(sums, at + PAIR);
        FloatVector s2 = Lanes.load(sums, at + 2 * PAIR);
        FloatVector s3 = Lanes.load(sums, at + 3 * PAIR);
        for (int c = from; c < to; c += PAIR) {
            FloatVector v = Lanes.load(x, xAt + c);
            s0 = Lanes.load(w, c).fma(v, s0);
            s1 = Lanes.load(w, c + PIECE).fma(v, s1);
            s2 = Lanes.load(w, c + 2 * PIECE).fma(v, s2);
            s3 = Lanes.load(w, c + 3 * PIECE).fma(v, s3);
        }
        s0.intoArray(sums, at);
        s1.intoArray(sums, at + PAIR);
        s2.intoArray(sums, at + 2 * PAIR);
        s3.intoArray(sums, at + 3 * PAIR);
    }

    /// Advances 4 rows by 4 tokens: 8 loads for 16 multiply-adds. `sTR` is the sum of token T and row R.
    private static void tile4x4(float[] w, int from, int to, float[] x, int xAt, int xStride, float[] sums, int at) {
        FloatVector s00 = Lanes.load(sums, at);
        FloatVector s01 = Lanes.load(sums, at + PAIR);
        FloatVector s02 = Lanes.load(sums, at + 2 * PAIR);
        FloatVector s03 = Lanes.load(sums, at + 3 * PAIR);
        FloatVector s10 = Lanes.load(sums, at + 4 * PAIR);
        FloatVector s11 = Lanes.load(sums, at + 5 * PAIR);
        FloatVector s12 = Lanes.load(sums, at + 6 * PAIR);
        FloatVector s13 = Lanes.load(sums, at + 7 * PAIR);
        FloatVector s20 = Lanes.load(sums, at + 8 * PAIR);
        FloatVector s21 = Lanes.load(sums, at + 9 * PAIR);
        FloatVector s22 = Lanes.load(sums, at + 10 * PAIR);
        FloatVector s23 = Lanes.load(sums, at + 11 * PAIR);
        FloatVector s30 = Lanes.load(sums, at + 12 * PAIR);
        FloatVector s31 = Lanes.load(sums, at + 13 * PAIR);
        FloatVector s32 = Lanes.load(sums, at + 14 * PAIR);
        FloatVector s33 = Lanes.load(sums, at + 15 * PAIR);
        for (int c = from; c < to; c += PAIR) {
            FloatVector w0 = Lanes.load(w, c);
            FloatVector w1 = Lanes.load(w, c + PIECE);
            FloatVector w2 = Lanes.load(w, c + 2 * PIECE);
            FloatVector w3 = Lanes.load(w, c + 3 * PIECE);
            FloatVector v = Lanes.load(x, xAt + c);
            s00 = w0.fma(v, s00);
            s01 = w1.fma(v, s01);
            s02 = w2.fma(v, s02);
            s03 = w3.fma(v, s03);
            v = Lanes.load(x, xAt + xStride + c);
            s10 = w0.fma(v, s10);
            s11 = w1.fma(v, s11);
            s12 = w2.fma(v, s12);
            s13 = w3.fma(v, s13);
            v = Lanes.load(x, xAt + 2 * xStride + c);
            s20 = w0.fma(v, s20);
            s21 = w1.fma(v, s21);
            s22 = w2.fma(v, s22);
            s23 = w3.fma(v, s23);
            v = Lanes.load(x, xAt + 3 * xStride + c);
            s30 = w0.fma(v, s30);
            s31 = w1.fma(v, s31);
            s32 = w2.fma(v, s32);
            s33 = w3.fma(v, s33);
        }
        s00.intoArray(sums, at);
        s01.intoArray(sums, at + PAIR);
        s02.intoArray(sums, at + 2 * PAIR);
        s03.intoArray(sums, at + 3 * PAIR);
        s10.intoArray(sums, at + 4 * PAIR);
        s11.intoArray(sums, at + 5 * PAIR);
        s12.intoArray(sums, at + 6 * PAIR);
        s13.intoArray(sums, at + 7 * PAIR);
        s20.intoArray(sums, at + 8 * PAIR);
        s21.intoArray(sums, at + 9 * PAIR);
        s22.intoArray(sums, at + 10 * PAIR);
        s23.intoArray(sums, at + 11 * PAIR);
        s30.intoArray(sums, at + 12 * PAIR);
        s31.intoArray(sums, at + 13 * PAIR);
        s32.intoArray(sums, at + 14 * PAIR);
        s33.intoArray(sums, at + 15 * PAIR);
    }
}
