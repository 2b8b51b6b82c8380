package dev.mixtral.grammar.ebnf;

import dev.mixtral.grammar.regex.Regex;
import java.util.List;

/// The right side of a rule. Immutable.
public sealed interface Expression {
    /// A text of a language.
    record Terminal(Regex regex) implements Expression {}

    /// Another rule.
    ///
    /// @param line where it is referred to
    record Reference(String name, int line) implements Expression {}

    /// One part after the other.
    record Sequence(List<Expression> parts) implements Expression {}

    /// One part of several.
    record Alternatives(List<Expression> parts) implements Expression {}

    /// A part, several times.
    ///
    /// @param max -1 for no upper bound
    record Repeat(Expression part, int min, int max) implements Expression {}
}
