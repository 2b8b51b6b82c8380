package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.automaton.Edge;
import dev.mixtral.grammar.automaton.State;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A state whose edges are found when they are first asked for. Compared by identity; guarded by the machine's
/// lock.
final class Place implements State {
    /// The end of every rule.
    static final Place END = new Place(true, List::of);

    private final boolean isFinal;
    private final Supplier<List<Edge>> finder;
    private @Nullable List<Edge> edges;

    Place(boolean isFinal, Supplier<List<Edge>> finder) {
        this.isFinal = isFinal;
        this.finder = finder;
    }

    @Override
    public List<Edge> edges() {
        List<Edge> found = edges;
        if (found == null) {
            found = finder.get();
            edges = found;
        }
        return found;
    }

    @Override
    public boolean isFinal() {
        return isFinal;
    }
}
