package dev.mixtral.sampling;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/// Which tokens a sequence has seen, for the penalties. Confined to one thread.
public final class TokenHistory {
    private final BitSet seen = new BitSet();
    private final Map<Integer, Integer> generated = new HashMap<>();
    private int numGenerated;

    /// Starts with a prompt.
    public TokenHistory(int[] prompt) {
        for (int id : prompt) {
            seen.set(id);
        }
    }

    /// Takes a generated token.
    public void append(int id) {
        seen.set(id);
        generated.merge(id, 1, Integer::sum);
        numGenerated++;
    }

    /// Returns how many tokens were generated.
    public int numGenerated() {
        return numGenerated;
    }

    /// Returns the ids of prompt and answer.
    BitSet seen() {
        return seen;
    }

    /// Returns how often each id was generated.
    Map<Integer, Integer> generated() {
        return generated;
    }
}
