package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Lexicon.Adjective;
import dev.mixtral.train.corpus.Lexicon.Noun;
import dev.mixtral.train.corpus.Lexicon.Verb;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a sentence says, before any language: the common ground of the five grammars.
///
/// A clause is an action (`verb`), a state (`state`, "the cat is small") or a presence (neither: "there is a cat").
///
/// @param subject who; never null
/// @param place column of a place, or null
/// @param time column of a time, or null
/// @param timeFirst whether the time opens the sentence; never together with `question`
record Clause(
        Subject subject,
        @Nullable Verb verb,
        @Nullable NounPhrase object,
        @Nullable Adjective state,
        @Nullable List<String> place,
        @Nullable List<String> time,
        boolean timeFirst,
        Tense tense,
        boolean negated,
        boolean question) {

    enum Tense {
        PRESENT,
        PERFECT,
        FUTURE
    }

    enum Determiner {
        THE,
        A,
        MY,
        /// A number from two to ten; the phrase is plural.
        NUMBER
    }

    /// Who does it: a noun phrase, "I" or "we".
    sealed interface Subject {
        /// Returns the index of the verb form: 0 = I, 1 = he, she, it, 2 = we, 3 = they.
        int person();
    }

    /// "I" or "we".
    record Pronoun(boolean plural) implements Subject {
        @Override
        public int person() {
            return plural ? 2 : 0;
        }
    }

    /// A noun with determiner and adjective.
    ///
    /// @param number 2 to 10 with [Determiner#NUMBER], else 0
    record NounPhrase(
            Noun noun,
            boolean plural,
            Determiner determiner,
            int number,
            @Nullable Adjective adjective) implements Subject {
        @Override
        public int person() {
            return plural ? 3 : 1;
        }
    }

    /// Returns the place in a language, or the empty string.
    String placeIn(Language language) {
        return place == null ? "" : place.get(language.column());
    }

    /// Returns the time in a language, or the empty string.
    String timeIn(Language language) {
        return time == null ? "" : time.get(language.column());
    }
}
