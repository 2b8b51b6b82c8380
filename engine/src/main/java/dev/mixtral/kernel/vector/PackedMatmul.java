package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.Scratch;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;

/// Products with packed weights, block by block: some panels times some tokens give sums of 16 floats for each pair
/// of them, which then go to the output, or through the gated activation and into 8 bits again.
final class PackedMatmul {
    private static final int ROWS = PackedType.ROWS;
    private static final int VECTORS = ROWS / Lanes.LENGTH;

    /// Tokens of a block: what the pairs of [PackedBatch]'s columns take of them stays in the second-level cache.
    private static final int TOKENS = 64;

    /// Panels of a block, a multiple of the 4 that make a run of the inner layer.
    private static final int PANELS = 16;

    /// Up to how many tokens are multiplied one by one, where a type has [OneToken.Product]: unpacking pays from 6 on.
    private static final int MAX_SINGLE = 5;

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
                    copy(sums, p, Math.min(ROWS, toRow - row), out, row, token, tokens);
                }
            }
        }
    }

    /// Copies the sums of `n` rows of panel `p`.
    private static void copy(float[] sums, int p, int n, FloatMatrix out, int row, int token, int numTokens) {
        for (int t = 0; t < numTokens; t++) {
            int to = out.offset(token + t) + row;
            System.arraycopy(sums, PackedBatch.sumsAt(p, t, numTokens), out.data(), to, n);
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
                    activate(sums, p, hidden, (panel + p) / 4, token, tokens);
                }
            }
        }
    }

    /// Makes a run of the inner layer from panels `p … p + 3`: gate, up, gate, up.
    private static void activate(float[] sums, int p, QuantizedRows hidden, int run, int token, int numTokens) {
        for (int t = 0; t < numTokens; t++) {
            for (int half = 0; half < 2; half++) {
                int gate = PackedBatch.sumsAt(p + 2 * half, t, numTokens);
                int up = PackedBatch.sumsAt(p + 2 * half + 1, t, numTokens);
                activate(sums, gate, up, INNER + half * ROWS);
            }
            Quantizer.quantize(sums, INNER, hidden, token + t, run);
        }
    }

    /// Writes `silu(gate) · up` of 16 columns.
    private static void activate(float[] sums, int gate, int up, int to) {
        for (int i = 0; i < ROWS; i += Lanes.LENGTH) {
            VectorMath.silu(Lanes.load(sums, gate + i))
                    .mul(Lanes.load(sums, up + i))
                    .intoArray(sums, to + i);
        }
    }

    /// Returns the sums of panels and tokens: 16 floats at [PackedBatch#sumsAt] for each pair of them.
    private static float[] multiply(
            PackedMatrix w, int panel, int numPanels, QuantizedRows x, int token, int numTokens, Scratch scratch) {
        float[] sums = scratch.accumulators(INNER + QuantizedRows.RUN);
        OneToken.Product product = numTokens <= MAX_SINGLE ? OneToken.of(w.type()) : null;
        if (product == null) {
            PackedBatch.multiply(w, panel, numPanels, x, token, numTokens, sums, scratch);
        } else {
            multiplySingly(product, w, panel, numPanels, x, token, numTokens, sums, scratch);
        }
        return sums;
    }

    /// Multiplies one token after the other by each panel, which stays in the cache for the others.
    private static void multiplySingly(
            OneToken.Product product,
            PackedMatrix w,
            int panel,
            int numPanels,
            QuantizedRows x,
            int token,
            int numTokens,
            float[] sums,
            Scratch scratch) {
        int numSubs = w.cols() / PackedType.COLS;
        int numPairs = numSubs * ActivationPairs.PER_RUN;
        int[] pairs = scratch.pairs(numTokens * numPairs);
        for (int t = 0; t < numTokens; t++) {
            ActivationPairs.fill(x, token + t, 0, numSubs, pairs, t * numPairs);
        }
        int numVectors = numPanels * VECTORS;
        for (int v0 = 0; v0 < numVectors; v0 += 2) {
            // The last of an odd number goes with itself.
            int v1 = Math.min(v0 + 1, numVectors - 1);
            long panel0 = (panel + v0 / VECTORS) * w.panelBytes();
            long panel1 = (panel + v1 / VECTORS) * w.panelBytes();
            int row0 = v0 % VECTORS * Lanes.LENGTH;
            int row1 = v1 % VECTORS * Lanes.LENGTH;
            for (int t = 0; t < numTokens; t++) {
                int at0 = PackedBatch.sumsAt(v0 / VECTORS, t, numTokens) + row0;
                int at1 = PackedBatch.sumsAt(v1 / VECTORS, t, numTokens) + row1;
                int pairsAt = t * numPairs;
                int scalesAt = x.scalesOffset(token + t);
                product.multiply(
                        w.data(),
                        panel0,
                        row0,
                        panel1,
                        row1,
                        numSubs,
                        pairs,
                        pairsAt,
                        x.scales(),
                        scalesAt,
                        sums,
                        at0,
                        at1);
            }
        }
    }
}
