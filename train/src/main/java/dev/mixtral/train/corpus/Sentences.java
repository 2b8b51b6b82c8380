package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Clause.Determiner;
import dev.mixtral.train.corpus.Clause.NounPhrase;
import dev.mixtral.train.corpus.Clause.Pronoun;
import dev.mixtral.train.corpus.Clause.Subject;
import dev.mixtral.train.corpus.Clause.Tense;
import dev.mixtral.train.corpus.Lexicon.Adjective;
import dev.mixtral.train.corpus.Lexicon.Noun;
import dev.mixtral.train.corpus.Lexicon.Verb;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Draws things to say in any of the five languages.
final class Sentences {
    private Sentences() {}

    /// One meaning, which can be written in each language.
    interface Saying {
        String in(Language language);
    }

    /// Returns a sentence, a phrase of daily life or, rarely, a noun with its article.
    static Saying any(Rng rng) {
        int kind = rng.below(20);
        if (kind == 0) {
            List<String> phrase = rng.pick(Lexicon.PHRASES);
            return language -> phrase.get(language.column());
        }
        if (kind < 3) {
            Noun noun = rng.pick(Lexicon.NOUNS);
            boolean plural = rng.chance(30);
            return language -> language.grammar().definite(noun, plural);
        }
        return sentence(rng);
    }

    /// Returns a whole sentence.
    static Saying sentence(Rng rng) {
        Clause clause = clause(rng);
        return language -> language.grammar().sentence(clause);
    }

    private static Clause clause(Rng rng) {
        int kind = rng.below(10);
        if (kind < 4) {
            return action(rng);
        }
        if (kind < 7) {
            return transitive(rng);
        }
        return kind < 9 ? state(rng) : presence(rng);
    }

    private static Clause action(Rng rng) {
        Verb verb = rng.pick(Lexicon.INTRANSITIVE);
        Subject subject = rng.chance(20) ? new Pronoun(rng.chance(50)) : actor(rng, Lexicon.BEINGS);
        List<String> place = rng.chance(70) ? rng.pick(Lexicon.PLACES) : null;
        return clause(rng, subject, verb, null, place);
    }

    private static Clause transitive(Rng rng) {
        Verb verb = rng.pick(Lexicon.TRANSITIVE);
        Subject subject = rng.chance(20) ? new Pronoun(rng.chance(50)) : actor(rng, Lexicon.PERSONS);
        NounPhrase object = phrase(rng, rng.pick(Lexicon.THINGS));
        List<String> place = rng.chance(20) ? rng.pick(Lexicon.PLACES) : null;
        return clause(rng, subject, verb, object, place);
    }

    private static Clause clause(
            Rng rng, Subject subject, Verb verb, @Nullable NounPhrase object, @Nullable List<String> place) {
        Tense tense = tense(rng, verb);
        boolean definite =
                object == null || object.determiner() == Determiner.THE || object.determiner() == Determiner.MY;
        boolean negated = definite && rng.chance(15);
        boolean question = !negated && subject instanceof NounPhrase && rng.chance(12);
        List<String> time = tense == Tense.PRESENT && rng.chance(25) ? rng.pick(Lexicon.TIMES) : null;
        boolean timeFirst = time != null && !question && !negated && rng.chance(40);
        return new Clause(subject, verb, object, null, place, time, timeFirst, tense, negated, question);
    }

    private static Tense tense(Rng rng, Verb verb) {
        int percent = rng.below(100);
        if (percent < 15 && verb.hasPerfect()) {
            return Tense.PERFECT;
        }
        return percent >= 88 ? Tense.FUTURE : Tense.PRESENT;
    }

    private static Clause state(Rng rng) {
        Noun noun = rng.pick(Lexicon.NOUNS);
        Adjective adjective = rng.pick(Lexicon.ADJECTIVES);
        while (!adjective.describes(noun)) {
            adjective = rng.pick(Lexicon.ADJECTIVES);
        }
        var subject = new NounPhrase(
                noun, rng.chance(30), noun.kind() == 't' && rng.chance(30) ? Determiner.MY : Determiner.THE, 0, null);
        boolean negated = rng.chance(20);
        boolean question = !negated && rng.chance(15);
        return new Clause(subject, null, null, adjective, null, null, false, Tense.PRESENT, negated, question);
    }

    private static Clause presence(Rng rng) {
        NounPhrase subject = rng.chance(60)
                ? new NounPhrase(rng.pick(Lexicon.NOUNS), false, Determiner.A, 0, null)
                : new NounPhrase(rng.pick(Lexicon.NOUNS), true, Determiner.NUMBER, rng.between(2, 10), null);
        return new Clause(
                subject, null, null, null, rng.pick(Lexicon.PLACES), null, false, Tense.PRESENT, false, false);
    }

    /// A subject: "the small cat", "the cats".
    private static NounPhrase actor(Rng rng, List<Noun> nouns) {
        Noun noun = rng.pick(nouns);
        return new NounPhrase(noun, rng.chance(25), Determiner.THE, 0, rng.chance(25) ? attribute(rng, noun) : null);
    }

    private static NounPhrase phrase(Rng rng, Noun noun) {
        Adjective adjective = rng.chance(30) ? attribute(rng, noun) : null;
        int kind = rng.below(10);
        if (kind < 2) {
            return new NounPhrase(noun, true, Determiner.NUMBER, rng.between(2, 10), adjective);
        }
        if (kind < 5) {
            return new NounPhrase(noun, false, Determiner.A, 0, adjective);
        }
        Determiner determiner = kind == 5 ? Determiner.MY : Determiner.THE;
        return new NounPhrase(noun, rng.chance(20), determiner, 0, adjective);
    }

    private static Adjective attribute(Rng rng, Noun noun) {
        Adjective adjective = rng.pick(Lexicon.ADJECTIVES);
        while (!adjective.describes(noun) || adjective.place() == '-') {
            adjective = rng.pick(Lexicon.ADJECTIVES);
        }
        return adjective;
    }
}
