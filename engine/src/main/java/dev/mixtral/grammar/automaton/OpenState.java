package dev.mixtral.grammar.automaton;

import dev.mixtral.grammar.regex.Regex;
import java.util.ArrayList;
import java.util.List;

/// A state whose edges are added one by one, for those who lay out rules. Not to be changed once a machine has it.
public final class OpenState implements State {
    private final List<Edge> edges = new ArrayList<>();
    private final boolean isFinal;

    /// Makes a state without edges.
    ///
    /// @param isFinal whether the rule may end there
    public OpenState(boolean isFinal) {
        this.isFinal = isFinal;
    }

    /// Makes a state with some edges where the rule may not end.
    public static OpenState with(List<Edge> edges) {
        OpenState state = new OpenState(false);
        state.edges.addAll(edges);
        return state;
    }

    /// Adds a way on.
    public void add(Edge edge) {
        edges.add(edge);
    }

    /// Adds a lexeme that leads to a state.
    public void add(Regex regex, State target) {
        add(new Edge.Lexeme(regex, target));
    }

    @Override
    public List<Edge> edges() {
        return edges;
    }

    @Override
    public boolean isFinal() {
        return isFinal;
    }
}
