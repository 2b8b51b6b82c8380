package dev.mixtral.grammar.ebnf;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.automaton.Edge;
import dev.mixtral.grammar.automaton.OpenState;
import dev.mixtral.grammar.automaton.Rule;
import dev.mixtral.grammar.automaton.State;
import dev.mixtral.grammar.ebnf.Expression.Alternatives;
import dev.mixtral.grammar.ebnf.Expression.Reference;
import dev.mixtral.grammar.ebnf.Expression.Repeat;
import dev.mixtral.grammar.ebnf.Expression.Sequence;
import dev.mixtral.grammar.ebnf.Expression.Terminal;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/// Turns rules into the parser's states. For one use.
///
/// A rule that does not lead back to itself is a regular language and becomes a single lexeme. A rule that begins
/// with itself is turned into a repetition where it does so directly, and refused otherwise: the parser follows
/// calls until it finds a lexeme.
public final class RuleCompiler {
    private static final int MAX_RULES = 2_000;
    private static final int MAX_UNROLLED = 1_000;

    private final RegexPool pool;
    private final Map<String, Expression> rules;
    private final Map<String, Regex> regular = new HashMap<>();
    private final Set<String> recursive = new HashSet<>();
    private final Set<String> irregular = new HashSet<>();
    private final Set<String> productive = new HashSet<>();
    private final Set<String> nullable = new HashSet<>();
    private final Map<String, NamedRule> compiled = new LinkedHashMap<>();

    private RuleCompiler(RegexPool pool, Map<String, Expression> rules) {
        this.pool = pool;
        this.rules = rules;
    }

    /// Compiles rules.
    ///
    /// @param rules by name
    /// @param root the outermost rule
    /// @throws GrammarException if a rule is missing, begins with itself in a way that cannot be followed, or
    ///     nothing can be derived from the root
    public static Rule compile(RegexPool pool, Map<String, Expression> rules, String root) {
        if (rules.size() > MAX_RULES) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "the grammar has " + rules.size() + " rules, the limit is " + MAX_RULES);
        }
        if (!rules.containsKey(root)) {
            throw new GrammarException(Reason.INVALID, "", "", "the grammar has no rule '" + root + "'");
        }
        try {
            return new RuleCompiler(pool, new LinkedHashMap<>(rules)).compile(root);
        } catch (StackOverflowError e) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "the grammar's rules lead to each other too far; simplify them");
        }
    }

    private Rule compile(String root) {
        rules.replaceAll((name, expression) -> LeftRecursion.remove(name, expression));
        requireRules();
        RuleGraph graph = new RuleGraph(rules);
        recursive.addAll(graph.recursive());
        irregular.addAll(graph.irregular());
        grow(productive, this::isProductive);
        grow(nullable, this::isNullable);
        if (!productive.contains(root)) {
            throw new GrammarException(Reason.UNSATISFIABLE, "", "", "no text can be derived from '" + root + "'");
        }
        Map<String, Integer> ranks = new LeftCalls(rules, nullable, recursive).ranks();
        for (String name : rules.keySet()) {
            if (recursive.contains(name) || name.equals(root)) {
                compiled.put(name, new NamedRule(ranks.getOrDefault(name, 0)));
            }
        }
        compiled.forEach((name, rule) -> {
            if (productive.contains(name)) {
                rule.start = build(Objects.requireNonNull(rules.get(name)), new OpenState(true));
            }
        });
        return Objects.requireNonNull(compiled.get(root));
    }

    private void requireRules() {
        for (Expression expression : rules.values()) {
            for (Reference reference : References.of(expression)) {
                expression(reference.name(), reference.line());
            }
        }
    }

    private Expression expression(String name, int line) {
        Expression expression = rules.get(name);
        if (expression == null) {
            throw new GrammarException(
                    Reason.INVALID, line == 0 ? "" : "line " + line, "", "there is no rule '" + name + "'");
        }
        return expression;
    }

    private void grow(Set<String> set, Predicate<Expression> test) {
        boolean grown = true;
        while (grown) {
            grown = false;
            for (Map.Entry<String, Expression> rule : rules.entrySet()) {
                grown |= !set.contains(rule.getKey()) && test.test(rule.getValue()) && set.add(rule.getKey());
            }
        }
    }

    private boolean isProductive(Expression expression) {
        return switch (expression) {
            case Terminal(Regex regex) -> !pool.isEmpty(regex);
            case Reference reference -> productive.contains(reference.name());
            case Sequence(List<Expression> parts) -> parts.stream().allMatch(this::isProductive);
            case Alternatives(List<Expression> parts) -> parts.stream().anyMatch(this::isProductive);
            case Repeat repeat -> repeat.min() == 0 || isProductive(repeat.part());
        };
    }

    private boolean isNullable(Expression expression) {
        return switch (expression) {
            case Terminal(Regex regex) -> regex.nullable();
            case Reference reference -> nullable.contains(reference.name());
            case Sequence(List<Expression> parts) -> parts.stream().allMatch(this::isNullable);
            case Alternatives(List<Expression> parts) -> parts.stream().anyMatch(this::isNullable);
            case Repeat repeat -> repeat.min() == 0 || isNullable(repeat.part());
        };
    }

    private boolean isRegular(Expression expression) {
        return References.of(expression).stream().noneMatch(reference -> irregular.contains(reference.name()));
    }

    private Regex regex(Expression expression) {
        return switch (expression) {
            case Terminal(Regex regex) -> regex;
            case Reference reference -> {
                Regex known = regular.get(reference.name());
                if (known == null) {
                    known = regex(expression(reference.name(), reference.line()));
                    regular.put(reference.name(), known);
                }
                yield known;
            }
            case Sequence(List<Expression> parts) ->
                pool.concat(parts.stream().map(this::regex).toList());
            case Alternatives(List<Expression> parts) ->
                pool.or(parts.stream().map(this::regex).toList());
            case Repeat repeat -> pool.repeat(regex(repeat.part()), repeat.min(), repeat.max());
        };
    }

    /// Returns the state in front of an expression, behind which `next` comes. The expression is productive.
    private OpenState build(Expression expression, OpenState next) {
        if (isRegular(expression)) {
            return OpenState.with(List.of(new Edge.Lexeme(regex(expression), next)));
        }
        return switch (expression) {
            case Terminal(Regex regex) -> OpenState.with(List.of(new Edge.Lexeme(regex, next)));
            case Reference reference ->
                OpenState.with(List.of(
                        new Edge.Call(Objects.requireNonNull(compiled.get(reference.name()), reference.name()), next)));
            case Sequence(List<Expression> parts) -> {
                OpenState node = next;
                for (int i = parts.size() - 1; i >= 0; i--) {
                    node = build(parts.get(i), node);
                }
                yield node;
            }
            case Alternatives(List<Expression> parts) -> {
                OpenState node = new OpenState(false);
                parts.stream().filter(this::isProductive).forEach(part -> jump(node, build(part, next)));
                yield node;
            }
            case Repeat repeat -> repeat(repeat, next);
        };
    }

    private OpenState repeat(Repeat repeat, OpenState next) {
        if (repeat.min() + Math.max(repeat.max(), 0) > MAX_UNROLLED) {
            throw new GrammarException(
                    Reason.TOO_LARGE,
                    "",
                    "",
                    "a part with a recursive rule is repeated more than " + MAX_UNROLLED + " times");
        }
        OpenState node = next;
        if (!isProductive(repeat.part())) {
            return next;
        }
        if (repeat.max() < 0) {
            OpenState loop = new OpenState(false);
            jump(loop, next);
            jump(loop, build(repeat.part(), loop));
            node = loop;
        } else {
            for (int i = repeat.min(); i < repeat.max(); i++) {
                OpenState optional = new OpenState(false);
                jump(optional, next);
                jump(optional, build(repeat.part(), node));
                node = optional;
            }
        }
        for (int i = 0; i < repeat.min(); i++) {
            node = build(repeat.part(), node);
        }
        return node;
    }

    /// Leads from one state to another without reading anything.
    private void jump(OpenState from, OpenState to) {
        from.add(pool.epsilon(), to);
    }

    /// A rule whose states come after it, as rules refer to each other.
    private static final class NamedRule implements Rule {
        private final int rank;
        private OpenState start = new OpenState(false);

        NamedRule(int rank) {
            this.rank = rank;
        }

        @Override
        public State start() {
            return start;
        }

        @Override
        public int rank() {
            return rank;
        }
    }
}
