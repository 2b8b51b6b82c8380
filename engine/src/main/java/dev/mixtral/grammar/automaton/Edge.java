package dev.mixtral.grammar.automaton;

import dev.mixtral.grammar.regex.Regex;
import java.util.function.Function;

/// A way from one [State] to the next.
public sealed interface Edge {
    /// Reads a text of a language.
    record Lexeme(Regex regex, State target) implements Edge {}

    /// Reads a text of a language, on which depends what follows.
    ///
    /// @param regex not nullable
    /// @param target the state after a text of the language
    record Capture(Regex regex, Function<byte[], State> target) implements Edge {}

    /// Reads what another rule describes.
    record Call(Rule rule, State target) implements Edge {}
}
