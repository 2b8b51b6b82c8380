package dev.mixtral.grammar.ebnf;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.ebnf.Expression.Alternatives;
import dev.mixtral.grammar.ebnf.Expression.Reference;
import dev.mixtral.grammar.ebnf.Expression.Repeat;
import dev.mixtral.grammar.ebnf.Expression.Sequence;
import dev.mixtral.grammar.ebnf.Expression.Terminal;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// Which recursive rules a rule may call before it has read anything, and the order that follows from it. For one
/// use.
final class LeftCalls {
    private final Map<String, Expression> rules;
    private final Set<String> nullable;
    private final Set<String> recursive;
    private final Deque<String> finished = new ArrayDeque<>();
    private final Set<String> done = new HashSet<>();
    private final Set<String> open = new LinkedHashSet<>();

    LeftCalls(Map<String, Expression> rules, Set<String> nullable, Set<String> recursive) {
        this.rules = rules;
        this.nullable = nullable;
        this.recursive = recursive;
    }

    /// Returns for each rule a number that is smaller than those of the rules it may call first.
    ///
    /// @throws GrammarException if a rule may call itself first
    Map<String, Integer> ranks() {
        rules.keySet().forEach(this::visit);
        Map<String, Integer> ranks = new HashMap<>();
        finished.forEach(name -> ranks.put(name, ranks.size()));
        return ranks;
    }

    private void visit(String name) {
        if (open.contains(name)) {
            throw new GrammarException(
                    Reason.UNSUPPORTED,
                    "",
                    "",
                    "the rule '" + name + "' begins with itself (through " + String.join(", ", open)
                            + "); write it as a repetition");
        }
        if (!done.contains(name)) {
            open.add(name);
            Set<String> first = new LinkedHashSet<>();
            collect(Objects.requireNonNull(rules.get(name)), first);
            first.forEach(this::visit);
            open.remove(name);
            done.add(name);
            finished.addFirst(name);
        }
    }

    /// Collects the recursive rules with which an expression may begin; returns whether it may be empty.
    private boolean collect(Expression expression, Set<String> first) {
        return switch (expression) {
            case Terminal terminal -> terminal.regex().nullable();
            case Reference reference -> {
                if (recursive.contains(reference.name())) {
                    first.add(reference.name());
                }
                yield nullable.contains(reference.name());
            }
            case Sequence(List<Expression> parts) -> {
                boolean empty = true;
                for (int i = 0; i < parts.size() && empty; i++) {
                    empty = collect(parts.get(i), first);
                }
                yield empty;
            }
            case Alternatives(List<Expression> parts) -> {
                boolean empty = false;
                for (Expression part : parts) {
                    empty |= collect(part, first);
                }
                yield empty;
            }
            case Repeat repeat -> collect(repeat.part(), first) || repeat.min() == 0;
        };
    }
}
