package dev.mixtral.grammar.regex;

/// An automaton that an expression can hold where no expression is short: numbers in a range, multiples.
/// Immutable.
///
/// States are the automaton's own numbers. A state from which nothing is accepted may be live in name only: the
/// pool finds out.
public interface Dfa {
    /// What [#next(int, int)] returns when no text goes on.
    int DEAD = -1;

    /// Returns the first state.
    int start();

    /// Returns the state after a byte, or [#DEAD].
    int next(int state, int value);

    /// Returns whether a text may end in the state.
    boolean accepts(int state);

    /// Returns a key for each byte value; values with equal keys lead to equal states from everywhere.
    int[] byteKeys();
}
