package dev.mixtral.grammar.automaton;

import java.util.List;

/// The open rules at a place: where each goes on when the innermost one ends. Several callers of one rule share a
/// stack. Immutable; interned by the machine, so that equal stacks are mostly one object.
final class Stack {
    /// Under the outermost rule.
    static final Stack BOTTOM = new Stack(true, List.of());

    /// Where a rule goes on, and what is open around it.
    record Frame(State state, Stack parents) {}

    /// Whether the text may end when the innermost rule ends.
    final boolean bottom;
    final List<Frame> frames;

    Stack(boolean bottom, List<Frame> frames) {
        this.bottom = bottom;
        this.frames = frames;
    }
}
