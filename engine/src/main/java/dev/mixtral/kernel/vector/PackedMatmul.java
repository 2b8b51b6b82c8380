package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import jdk.incubator.vector.FloatVector;

/// Products with packed weights, block by block: some panels times some tokens give sums of 16 floats for each pair
/// of
/// them, which then go to the output, or through the gated activation and into 8 bits again.
final class PackedMatmul {
    private static final int ROWS = PackedType.ROWS;

    /// Tokens of a block: what the pairs of [PackedBatch]'s columns take of them stays in the second-level cache.
    private static final int TOKENS = 64;

    /// Panels of a block, a multiple of the 4 that make a run of the inner layer.
    private static final int PANELS = 16;

    /// Where 32 columns of the inner layer lie behind the sums.
    private static final int INNER = PANELS * TOKENS * ROWS;

    private PackedMatmul() {}

    static void matmul(
            PackedMatrix w,
            int fromRow,
            int toRow,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch) {
        int endPanel = PackedMatrix.numPanels(toRow);
        for (int t = 0; t < numTokens; t += TOKENS) {
            int token = fromToken + t;
            int tokens = Math.min(TOKENS, numTokens - t);
            for (int panel = fromRow / ROWS; panel < endPanel; panel += PANELS) {
                int panels = Math.min(PANELS, endPanel - panel);
                float[] sums = multiply(w, panel, panels, x, token, tokens, scratch);
                for (int p = 0; p < panels; p++) {
                    int row = (panel + p) * ROWS;
                    for (int i = 0; i < tokens; i++) {
                        int n = Math.min(ROWS, toRow - row);
                        System.arraycopy(sums, (p * tokens + i) * ROWS, out.data(), out.offset(token + i) + row, n);
                    }
                }
            }
        }
    }

    static void gateUp(
            PackedMatrix gateUp,
            int from,
            int to,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            QuantizedRows hidden,
            Scratch scratch) {
        int endPanel = to / ROWS * 2;
        for (int t = 0; t < numTokens; t += TOKENS) {
            int token = fromToken + t;
            int tokens = Math.min(TOKENS, numTokens - t);
            for (int panel = from / ROWS * 2; panel < endPanel; panel += PANELS) {
                int panels = Math.min(PANELS, endPanel - panel);
                float[] sums = multiply(gateUp, panel, panels, x, token, tokens, scratch);
                for (int p = 0; p < panels; p += 4) {
                    for (int i = 0; i < tokens; i++) {
                        int gate = (p * tokens + i) * ROWS;
                        int next = 2 * tokens * ROWS;
                        activate(sums, gate, gate + tokens * ROWS, INNER);
                        activate(sums, gate + next, gate + next + tokens * ROWS, INNER + ROWS);
                        Quantizer.quantize(sums, INNER, hidden, token + i, (panel + p) / 4);
                    }
                }
            }
        }
    }

    private static void activate(float[] sums, int gate, int up, int to) {
        for (int i = 0; i < ROWS; i += Lanes.LENGTH) {
            FloatVector z = Lanes.load(sums, gate + i);
            z.div(VectorMath.exp(z.neg()).add(1)).mul(Lanes.load(sums, up + i)).intoArray(sums, to + i);
        }
    }

    /// Returns sums from index 0 on: 16 floats for each panel and each of its tokens.
    private static float[] multiply(
            PackedMatrix w, int panel, int numPanels, QuantizedRows x, int token, int numTokens, Scratch scratch) {
        float[] sums = scratch.accumulators(INNER + QuantizedRows.RUN);
        OneToken.Product product = numTokens == 1 ? OneToken.of(w.type()) : null;
        if (product == null) {
            PackedBatch.multiply(w, panel, numPanels, x, token, numTokens, sums, scratch);
        } else {
            multiplyOne(product, w, panel, numPanels, x, token, sums, scratch);
        }
        return sums;
    }

    private static void multiplyOne(
            OneToken.Product product,
            PackedMatrix w,
            int panel,
            int numPanels,
            QuantizedRows x,
            int token,
            float[] sums,
            Scratch scratch) {
        PackedType type = w.type();
        int numSubs = w.cols() / PackedType.COLS;
        int numSupers = type.hasSuperScales() ? w.cols() / type.superCols() : 0;
        int[] pairs = scratch.pairs(numSubs * ActivationPairs.PER_RUN);
        ActivationPairs.fill(x, token, 0, numSubs, pairs, 0);
        float[] heads = scratch.weights(numSupers * PackedScales.HEAD);
        for (int p = 0; p < numPanels; p++) {
            long at = (panel + p) * w.panelBytes();
            PackedScales.heads(type, w.data(), at, numSupers, heads, 0);
            for (int row = 0; row < ROWS; row += Lanes.LENGTH) {
                int to = p * ROWS + row;
                product.multiply(w.data(), at, numSubs, row, heads, pairs, x.scales(), x.scalesOffset(token), sums, to);
            }
        }
    }
}
