package dev.mixtral.grammar;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.automaton.Edge;
import dev.mixtral.grammar.automaton.Rule;
import dev.mixtral.grammar.automaton.State;
import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.util.List;

/// Grammars that are a single regular language. Immutable.
///
/// @param start where the rule begins
record SingleLexeme(State start) implements Rule {
    private record Point(List<Edge> edges, boolean isFinal) implements State {
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    @Override
    public int rank() {
        return 0;
    }

    /// Returns the rule of the texts that a pattern matches from end to end.
    static SingleLexeme pattern(RegexPool pool, String pattern) {
        return of(
                pool,
                new PatternCompiler(pool, TextForm.plain(pool)).full(pattern, true),
                "the pattern matches no text");
    }

    /// Returns the rule of some texts.
    static SingleLexeme choice(RegexPool pool, List<String> texts) {
        if (texts.contains("")) {
            throw new GrammarException(
                    Reason.INVALID, "", "", "a choice is empty; give texts with a character or more");
        }
        return of(pool, TextForm.plain(pool).literals(texts), "there is no choice; give one text or more");
    }

    /// Returns the rule of all texts in which another one does not appear.
    static SingleLexeme without(RegexPool pool, String excluded) {
        return of(pool, textWithout(pool, excluded), "every text is excluded");
    }

    /// Returns the expression of all texts in which another one does not appear.
    static Regex textWithout(RegexPool pool, String excluded) {
        Regex anything = pool.everything();
        return pool.not(pool.concat(List.of(anything, pool.literal(excluded), anything)));
    }

    private static SingleLexeme of(RegexPool pool, Regex regex, String ifEmpty) {
        if (pool.isEmpty(regex)) {
            throw new GrammarException(Reason.UNSATISFIABLE, "", "", ifEmpty);
        }
        return new SingleLexeme(new Point(List.of(new Edge.Lexeme(regex, new Point(List.of(), true))), false));
    }
}
