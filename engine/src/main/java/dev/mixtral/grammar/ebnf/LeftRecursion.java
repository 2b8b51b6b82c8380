package dev.mixtral.grammar.ebnf;

import dev.mixtral.grammar.ebnf.Expression.Alternatives;
import dev.mixtral.grammar.ebnf.Expression.Reference;
import dev.mixtral.grammar.ebnf.Expression.Repeat;
import dev.mixtral.grammar.ebnf.Expression.Sequence;
import java.util.ArrayList;
import java.util.List;

/// Turns `a: a b | c` into `a: c b*`.
final class LeftRecursion {
    private LeftRecursion() {}

    /// Returns the expression without alternatives that begin with the rule itself; others stay as they are.
    static Expression remove(String name, Expression expression) {
        List<Expression> alternatives =
                expression instanceof Alternatives(List<Expression> parts) ? parts : List.of(expression);
        List<Expression> bases = new ArrayList<>();
        List<Expression> tails = new ArrayList<>();
        for (Expression alternative : alternatives) {
            List<Expression> parts =
                    alternative instanceof Sequence(List<Expression> inside) ? inside : List.of(alternative);
            boolean left = !parts.isEmpty()
                    && parts.getFirst() instanceof Reference reference
                    && reference.name().equals(name);
            if (!left) {
                bases.add(alternative);
            } else if (parts.size() > 1) {
                tails.add(new Sequence(parts.subList(1, parts.size())));
            }
        }
        if (bases.size() == alternatives.size()) {
            return expression;
        }
        Expression more = new Repeat(new Alternatives(tails), 0, -1);
        return new Sequence(List.of(new Alternatives(bases), more));
    }
}
