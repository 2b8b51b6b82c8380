package dev.mixtral.train;

import java.util.Arrays;

/// Token ids to learn, and how much predicting each of them counts.
///
/// @param ids the tokens, BOS first
/// @param weights loss weight of each id as a target; 0 for BOS
/// @param continuable whether another such segment may follow as the next turn of the same conversation
record Segment(int[] ids, float[] weights, boolean continuable) {
    Segment {
        if (ids.length != weights.length) {
            throw new IllegalArgumentException(ids.length + " ids, " + weights.length + " weights");
        }
    }

    int length() {
        return ids.length;
    }

    /// Returns the first `length` tokens.
    Segment prefix(int length) {
        return new Segment(Arrays.copyOf(ids, length), Arrays.copyOf(weights, length), false);
    }
}
