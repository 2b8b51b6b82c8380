package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Lexicon.Noun;

/// Writes the same [Clause] in one language. Implementations are immutable.
interface Grammar {
    /// Returns the clause as a sentence, with capital and full stop.
    String sentence(Clause clause);

    /// Returns the noun with its definite article: "the cat", "l'oiseau".
    String definite(Noun noun, boolean plural);

    /// Ends a clause as a statement.
    static String statement(String clause) {
        return Text.capitalize(clause) + ".";
    }
}
