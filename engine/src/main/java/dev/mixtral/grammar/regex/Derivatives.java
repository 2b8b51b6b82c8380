package dev.mixtral.grammar.regex;

import dev.mixtral.grammar.regex.Regex.Kind;
import dev.mixtral.grammar.regex.Regex.Liveness;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Derivatives of a pool's expressions, and what follows from them. As thread-safe as the pool.
final class Derivatives {
    private final RegexPool pool;

    Derivatives(RegexPool pool) {
        this.pool = pool;
    }

    /// Returns the derivative, or the empty language's own expression if nothing is left.
    Regex step(Regex a, int value) {
        Regex derived = derivative(a, value);
        return isLive(derived) ? derived : pool.nothing();
    }

    /// Returns the derivative, which may be an expression that nobody has found to be empty yet.
    private Regex derivative(Regex a, int value) {
        Partition partition = partition(a);
        @Nullable Regex[] all = table(a, partition);
        int c = partition.classOf(value);
        Regex known = all[c];
        if (known == null || known.liveness == Liveness.DEAD) {
            Regex derived = derive(a, value);
            known = derived.liveness == Liveness.DEAD ? pool.nothing() : derived;
            all[c] = known;
        }
        return known;
    }

    private static @Nullable Regex[] table(Regex a, Partition partition) {
        @Nullable Regex[] all = a.derivatives;
        if (all == null) {
            all = new @Nullable Regex[partition.size()];
            a.derivatives = all;
        }
        return all;
    }

    private Regex derive(Regex a, int value) {
        return switch (a.kind) {
            case EMPTY, EPSILON -> pool.nothing();
            case BYTES -> a.bytes.contains(value) ? pool.epsilon() : pool.nothing();
            case CONCAT -> {
                Regex first = pool.concat(derivative(a.first(), value), a.rest());
                yield a.first().nullable ? pool.or(first, derivative(a.rest(), value)) : first;
            }
            case OR -> pool.or(derivatives(a.parts, value));
            case AND -> pool.and(derivatives(a.parts, value));
            case NOT -> pool.not(derivative(a.first(), value));
            case REPEAT -> {
                int max = a.max == Regex.UNBOUNDED ? a.max : a.max - 1;
                yield pool.concat(derivative(a.first(), value), pool.repeat(a.first(), Math.max(a.min - 1, 0), max));
            }
            case AUTOMATON -> {
                Dfa dfa = Objects.requireNonNull(a.dfa);
                yield pool.automaton(dfa, dfa.next(a.dfaState, value));
            }
        };
    }

    private List<Regex> derivatives(List<Regex> parts, int value) {
        List<Regex> steps = new ArrayList<>(parts.size());
        for (Regex part : parts) {
            steps.add(derivative(part, value));
        }
        return steps;
    }

    Partition partition(Regex a) {
        Partition known = a.partition;
        if (known == null) {
            known = pool.intern(makePartition(a));
            a.partition = known;
        }
        return known;
    }

    private Partition makePartition(Regex a) {
        return switch (a.kind) {
            case EMPTY, EPSILON -> Partition.ONE;
            case BYTES -> Partition.of(a.bytes);
            case CONCAT -> a.first().nullable ? partition(a.first()).meet(partition(a.rest())) : partition(a.first());
            case OR, AND -> {
                Partition meet = Partition.ONE;
                for (Regex part : a.parts) {
                    meet = meet.meet(partition(part));
                }
                yield meet;
            }
            case NOT, REPEAT -> partition(a.first());
            case AUTOMATON -> Partition.of(Objects.requireNonNull(a.dfa).byteKeys());
        };
    }

    /// A state on the way of a search, and which of its classes come next.
    private static final class Visit {
        final Regex state;
        final int[] representatives;
        int next;

        Visit(Regex state, int[] representatives) {
            this.state = state;
            this.representatives = representatives;
        }
    }

    /// Looks for a state that accepts, depth first, and remembers the answer for every state on the way.
    boolean isLive(Regex a) {
        if (a.surelyLive || a.liveness == Liveness.LIVE) {
            return true;
        }
        if (a.kind == Kind.EMPTY || a.liveness == Liveness.DEAD) {
            return false;
        }
        Deque<Visit> path = new ArrayDeque<>();
        Set<Regex> seen = new HashSet<>();
        if (enter(a, path, seen)) {
            return markLive(path);
        }
        while (!path.isEmpty()) {
            Visit visit = path.getLast();
            if (visit.next == visit.representatives.length) {
                path.removeLast();
            } else {
                Regex derived = derivative(visit.state, visit.representatives[visit.next++]);
                if (enter(derived, path, seen)) {
                    return markLive(path);
                }
            }
        }
        // Nothing that was seen leads to an accepting state.
        seen.forEach(state -> state.liveness = Liveness.DEAD);
        return false;
    }

    /// Takes a state onto the path, unless it was there before. Returns whether it is live.
    private boolean enter(Regex state, Deque<Visit> path, Set<Regex> seen) {
        if (state.nullable || state.surelyLive || state.liveness == Liveness.LIVE) {
            state.liveness = Liveness.LIVE;
            return true;
        }
        if (state.kind != Kind.EMPTY && state.liveness != Liveness.DEAD && seen.add(state)) {
            path.addLast(new Visit(state, partition(state).representatives()));
        }
        return false;
    }

    private static boolean markLive(Deque<Visit> path) {
        path.forEach(visit -> visit.state.liveness = Liveness.LIVE);
        return true;
    }

    /// Counts texts level by level: how many texts of one length lead to each state.
    int count(Regex a, int limit) {
        Map<Regex, Long> paths = Map.of(a, 1L);
        long total = 0;
        while (!paths.isEmpty()) {
            Map<Regex, Long> next = new LinkedHashMap<>();
            for (Map.Entry<Regex, Long> entry : paths.entrySet()) {
                long ways = entry.getValue();
                total += entry.getKey().nullable ? ways : 0;
                // Every state is live, so each of these ways ends in a text of its own.
                if (total >= limit || (ways >= limit && isLive(entry.getKey()))) {
                    return limit;
                }
                for (int value = 0; value < 256; value++) {
                    Regex after = step(entry.getKey(), value);
                    if (after != pool.nothing()) {
                        next.merge(after, ways, Long::sum);
                    }
                }
            }
            paths = next;
        }
        return (int) total;
    }
}
