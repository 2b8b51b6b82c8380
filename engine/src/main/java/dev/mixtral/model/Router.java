package dev.mixtral.model;

import dev.mixtral.tensor.FloatMatrix;
import java.util.Arrays;

/// Chooses the experts of each row: the `k` largest router logits, and a softmax over those.
///
/// Softmax over the selected logits equals a softmax over all of them, cut to `k` and renormalised. Equal logits go
/// to the lower expert. Source: Mixtral of Experts (arXiv 2401.04088) §2.1.
final class Router {
    private final int numExperts;
    private final int numExpertsPerToken;
    private int[] experts = new int[0];
    private float[] weights = new float[0];

    Router(int numExperts, int numExpertsPerToken) {
        this.numExperts = numExperts;
        this.numExpertsPerToken = numExpertsPerToken;
    }

    /// Routes rows `0 .. numRows - 1`.
    ///
    /// @param logits `[≥ numRows, numExperts]`; not modified
    void route(FloatMatrix logits, int numRows) {
        int slots = numRows * numExpertsPerToken;
        if (experts.length < slots) {
            experts = new int[slots];
            weights = new float[slots];
        }
        for (int row = 0; row < numRows; row++) {
            selectTop(logits, row);
            softmaxOverSelected(logits, row);
        }
    }

    /// Returns the expert of rank `rank` (0 is the first choice) of a row.
    int expert(int row, int rank) {
        return experts[row * numExpertsPerToken + rank];
    }

    /// Returns the weight of the expert of rank `rank` of a row; a row's weights sum to 1.
    float weight(int row, int rank) {
        return weights[row * numExpertsPerToken + rank];
    }

    private void selectTop(FloatMatrix logits, int row) {
        int at = row * numExpertsPerToken;
        Arrays.fill(experts, at, at + numExpertsPerToken, -1);
        for (int rank = 0; rank < numExpertsPerToken; rank++) {
            int best = -1;
            for (int e = 0; e < numExperts; e++) {
                boolean taken = isSelected(e, at, rank);
                // Not "greater than": NaN logits of a broken model must still end in some expert.
                if (!taken && (best < 0 || logits.get(row, e) > logits.get(row, best))) {
                    best = e;
                }
            }
            experts[at + rank] = best;
        }
    }

    private boolean isSelected(int expert, int at, int numSelected) {
        for (int rank = 0; rank < numSelected; rank++) {
            if (experts[at + rank] == expert) {
                return true;
            }
        }
        return false;
    }

    private void softmaxOverSelected(FloatMatrix logits, int row) {
        double max = logits.get(row, expert(row, 0));
        double sum = 0;
        for (int rank = 0; rank < numExpertsPerToken; rank++) {
            sum += Math.exp(logits.get(row, expert(row, rank)) - max);
        }
        for (int rank = 0; rank < numExpertsPerToken; rank++) {
            weights[row * numExpertsPerToken + rank] =
                    (float) (Math.exp(logits.get(row, expert(row, rank)) - max) / sum);
        }
    }
}
