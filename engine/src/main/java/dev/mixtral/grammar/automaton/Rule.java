package dev.mixtral.grammar.automaton;

/// A part of a grammar that others refer to by name.
public interface Rule {
    /// Returns where the rule begins.
    State start();

    /// Returns the order in which rules that begin at one place are entered: a rule comes before those it may
    /// call first, so that all its callers are known when it is entered.
    int rank();
}
