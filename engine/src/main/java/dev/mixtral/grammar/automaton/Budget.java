package dev.mixtral.grammar.automaton;

/// The work that following one answer may take, beyond what others under the same grammar have done for it. Confined to
/// one thread.
///
/// One hard place takes what there is, and an answer of hard places runs out: else it would slow all others down for as
/// long as it lasts. Usual answers take less than what every token brings.
public final class Budget {
    private static final int MAX = 1_500_000;
    private static final int PER_TOKEN = 2_000;

    private long left;

    private Budget(long left) {
        this.left = left;
    }

    /// Returns the budget of a new answer.
    public static Budget full() {
        return new Budget(MAX);
    }

    /// Returns a budget that is as large, and independent from here on.
    public Budget copy() {
        return new Budget(left);
    }

    /// Adds what a token brings.
    public void refill() {
        left = Math.min(MAX, left + PER_TOKEN);
    }

    long left() {
        return left;
    }

    void spend(long work) {
        left -= work;
    }
}
