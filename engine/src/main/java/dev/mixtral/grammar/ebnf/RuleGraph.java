package dev.mixtral.grammar.ebnf;

import dev.mixtral.grammar.ebnf.Expression.Reference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// Which rules lead back to themselves, and which lead to such rules. Immutable once made.
///
/// Source: Tarjan, Depth-first search and linear graph algorithms (1972), without recursion.
final class RuleGraph {
    private record Visit(String name, Iterator<String> references) {}

    private final Map<String, List<String>> references = new HashMap<>();
    private final Map<String, Integer> order = new HashMap<>();
    private final Map<String, Integer> lowest = new HashMap<>();
    private final Deque<String> open = new ArrayDeque<>();
    private final Set<String> isOpen = new HashSet<>();
    private final Set<String> recursive = new HashSet<>();
    private final Set<String> irregular = new HashSet<>();

    /// @param rules by name; every rule that is referred to is there
    RuleGraph(Map<String, Expression> rules) {
        rules.forEach((name, expression) -> references.put(
                name,
                References.of(expression).stream()
                        .map(Reference::name)
                        .distinct()
                        .toList()));
        rules.keySet().forEach(this::explore);
    }

    /// Returns the rules that lead back to themselves.
    Set<String> recursive() {
        return recursive;
    }

    /// Returns the rules that are recursive or lead to a recursive one: those whose texts may be no regular language.
    Set<String> irregular() {
        return irregular;
    }

    private List<String> referencesOf(String name) {
        return Objects.requireNonNull(references.get(name), name);
    }

    private void explore(String root) {
        if (order.containsKey(root)) {
            return;
        }
        Deque<Visit> path = new ArrayDeque<>();
        enter(root, path);
        while (!path.isEmpty()) {
            Visit visit = path.getLast();
            if (!visit.references().hasNext()) {
                path.removeLast();
                leave(visit.name());
                if (!path.isEmpty()) {
                    lowest.merge(path.getLast().name(), Objects.requireNonNull(lowest.get(visit.name())), Math::min);
                }
                continue;
            }
            String next = visit.references().next();
            if (!order.containsKey(next)) {
                enter(next, path);
            } else if (isOpen.contains(next)) {
                lowest.merge(visit.name(), Objects.requireNonNull(order.get(next)), Math::min);
            }
        }
    }

    private void enter(String name, Deque<Visit> path) {
        lowest.put(name, order.size());
        order.put(name, order.size());
        open.addLast(name);
        isOpen.add(name);
        path.addLast(new Visit(name, referencesOf(name).iterator()));
    }

    /// Closes the rules that lead back to each other, when the first of them that was found is left.
    private void leave(String name) {
        if (!Objects.equals(lowest.get(name), order.get(name))) {
            return;
        }
        List<String> component = new ArrayList<>();
        do {
            component.add(open.removeLast());
        } while (!component.getLast().equals(name));
        component.forEach(isOpen::remove);
        if (component.size() > 1 || referencesOf(name).contains(name)) {
            recursive.addAll(component);
        }
        for (String member : component) {
            if (recursive.contains(member) || referencesOf(member).stream().anyMatch(irregular::contains)) {
                irregular.addAll(component);
            }
        }
    }
}
