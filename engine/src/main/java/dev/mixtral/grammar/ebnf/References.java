package dev.mixtral.grammar.ebnf;

import dev.mixtral.grammar.ebnf.Expression.Alternatives;
import dev.mixtral.grammar.ebnf.Expression.Reference;
import dev.mixtral.grammar.ebnf.Expression.Repeat;
import dev.mixtral.grammar.ebnf.Expression.Sequence;
import dev.mixtral.grammar.ebnf.Expression.Terminal;
import java.util.ArrayList;
import java.util.List;

/// Finds the rules that an expression refers to.
final class References {
    private References() {}

    static List<Reference> of(Expression expression) {
        List<Reference> found = new ArrayList<>();
        collect(expression, found);
        return found;
    }

    private static void collect(Expression expression, List<Reference> found) {
        switch (expression) {
            case Terminal terminal -> {}
            case Reference reference -> found.add(reference);
            case Sequence(List<Expression> parts) -> parts.forEach(part -> collect(part, found));
            case Alternatives(List<Expression> parts) -> parts.forEach(part -> collect(part, found));
            case Repeat repeat -> collect(repeat.part(), found);
        }
    }
}
