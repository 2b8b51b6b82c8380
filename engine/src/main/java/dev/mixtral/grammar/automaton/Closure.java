package dev.mixtral.grammar.automaton;

import dev.mixtral.grammar.automaton.Stack.Frame;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;

/// Collects what may be read at one place: follows calls into rules and ends of rules until only lexemes are
/// left. For one use by one point.
final class Closure {
    private record Point(State state, Stack stack) {}

    private record Key(State after, Stack stack) {}

    /// Who calls a rule at this place.
    private static final class Callers {
        boolean bottom;
        final Set<Frame> frames = new LinkedHashSet<>();
    }

    private final RegexPool pool;
    private final BiFunction<Boolean, List<Frame>, Stack> stacks;
    private final Map<Key, Regex> lexemes = new LinkedHashMap<>();
    private final Set<Item> captures = new LinkedHashSet<>();
    private final Set<Point> seen = new HashSet<>();
    private final Deque<Point> work = new ArrayDeque<>();
    /// By rank, so that a rule is entered once all its callers are known.
    private final TreeMap<Integer, Map<Rule, Callers>> calls = new TreeMap<>();

    private boolean accepting;

    /// @param stacks interns a stack from whether it reaches the bottom and its frames
    Closure(RegexPool pool, BiFunction<Boolean, List<Frame>, Stack> stacks) {
        this.pool = pool;
        this.stacks = stacks;
    }

    /// Goes on at a state.
    void enter(State state, Stack stack) {
        Point point = new Point(state, stack);
        if (seen.add(point)) {
            work.add(point);
        }
    }

    /// Takes a lexeme that is being read.
    void add(Item item) {
        State after = item.after();
        if (after == null) {
            captures.add(item);
        } else {
            lexemes.merge(new Key(after, item.stack()), item.rest(), pool::or);
        }
    }

    boolean accepting() {
        return accepting;
    }

    /// Follows everything and returns the lexemes.
    List<Item> finish() {
        while (!work.isEmpty() || !calls.isEmpty()) {
            if (work.isEmpty()) {
                Map.Entry<Integer, Map<Rule, Callers>> first = calls.pollFirstEntry();
                first.getValue()
                        .forEach((rule, callers) ->
                                enter(rule.start(), stacks.apply(callers.bottom, List.copyOf(callers.frames))));
            } else {
                follow(work.remove());
            }
        }
        List<Item> items = new ArrayList<>();
        lexemes.forEach((key, regex) -> items.add(Item.of(regex, key.after(), key.stack())));
        items.addAll(captures);
        return items;
    }

    private void follow(Point point) {
        Stack stack = point.stack();
        if (point.state().isFinal()) {
            accepting |= stack.bottom;
            stack.frames.forEach(frame -> enter(frame.state(), frame.parents()));
        }
        for (Edge edge : point.state().edges()) {
            switch (edge) {
                case Edge.Lexeme(Regex regex, State target) -> {
                    if (regex.nullable()) {
                        enter(target, stack);
                    }
                    if (regex != pool.epsilon()) {
                        lexemes.merge(new Key(target, stack), regex, pool::or);
                    }
                }
                case Edge.Capture capture -> captures.add(Item.of(capture, stack));
                case Edge.Call(Rule rule, State target) -> call(rule, target, stack);
            }
        }
    }

    private void call(Rule rule, State target, Stack stack) {
        Callers callers = calls.computeIfAbsent(rule.rank(), rank -> new LinkedHashMap<>())
                .computeIfAbsent(rule, key -> new Callers());
        if (target.isFinal() && target.edges().isEmpty()) {
            // Nothing is left of the caller: its own callers take its place, which keeps right recursion flat.
            callers.bottom |= stack.bottom;
            callers.frames.addAll(stack.frames);
        } else {
            callers.frames.add(new Frame(target, stack));
        }
    }
}
