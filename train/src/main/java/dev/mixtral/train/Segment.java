package dev.mixtral.train;

import dev.mixtral.chat.InstructTemplate;
import java.util.Arrays;
import java.util.function.IntPredicate;

/// Token ids to learn, and how much predicting each of them counts.
///
/// @param ids the tokens, BOS first
/// @param weights loss weight of each id as a target; 0 for BOS
/// @param continuable whether another such segment may follow as the next turn of the same conversation
public record Segment(int[] ids, float[] weights, boolean continuable) {
    public Segment {
        if (ids.length != weights.length) {
            throw new IllegalArgumentException(ids.length + " ids, " + weights.length + " weights");
        }
    }

    /// Makes a segment of a rendered conversation.
    ///
    /// @param counts whether a message, by its index, counts in full
    /// @param otherWeight what the tokens of other messages count
    public static Segment of(
            InstructTemplate.Turns turns, IntPredicate counts, float otherWeight, boolean continuable) {
        float[] weights = new float[turns.ids().length];
        int from = 1;
        for (int message = 0; message < turns.ends().length; message++) {
            int end = turns.ends()[message];
            Arrays.fill(weights, Math.min(from, end), end, counts.test(message) ? 1 : otherWeight);
            from = Math.max(from, end);
        }
        return new Segment(turns.ids(), weights, continuable);
    }

    /// Returns the number of tokens.
    public int length() {
        return ids.length;
    }

    /// Returns whether anything in it is learned.
    public boolean counts() {
        return numCounted() > 0;
    }

    /// Returns how many tokens are learned.
    public int numCounted() {
        int count = 0;
        for (float weight : weights) {
            count += weight > 0 ? 1 : 0;
        }
        return count;
    }

    /// Returns the first `length` tokens.
    Segment prefix(int length) {
        return new Segment(Arrays.copyOf(ids, length), Arrays.copyOf(weights, length), false);
    }
}
