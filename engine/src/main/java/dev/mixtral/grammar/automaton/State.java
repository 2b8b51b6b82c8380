package dev.mixtral.grammar.automaton;

import java.util.List;

/// A place inside a rule. Equal places are one object: the parser compares by identity. Thread-safe for reading
/// under the machine's lock.
///
/// A state must be able to reach its rule's end: the parser offers every edge it finds.
public interface State {
    /// Returns the ways on. The same list each time.
    List<Edge> edges();

    /// Returns whether the rule may end here.
    boolean isFinal();
}
