package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Clause.NounPhrase;
import dev.mixtral.train.corpus.Clause.Pronoun;
import dev.mixtral.train.corpus.Clause.Subject;
import dev.mixtral.train.corpus.Clause.Tense;
import dev.mixtral.train.corpus.Lexicon.Noun;
import dev.mixtral.train.corpus.Lexicon.Verb;
import java.util.List;

/// German: finite verb in second place, participle or infinitive last, cases and adjective endings.
final class GermanGrammar implements Grammar {
    private static final List<String> NUMBERS =
            List.of("", "", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn");
    private static final List<String> HAVE = List.of("habe", "hat", "haben", "haben");
    private static final List<String> WILL = List.of("werde", "wird", "werden", "werden");

    @Override
    public String sentence(Clause clause) {
        String object = clause.object() == null ? "" : phrase(clause.object(), true);
        String place = clause.placeIn(Language.GERMAN);
        String time = clause.timeIn(Language.GERMAN);
        String not = clause.negated() ? "nicht" : "";
        if (clause.verb() == null && clause.state() == null) {
            return Grammar.statement(Text.words("es gibt", nounPhrase(clause.subject(), true), place));
        }
        String subject = nounPhrase(clause.subject(), false);
        String finite = finite(clause);
        String last = last(clause);
        if (clause.question()) {
            return Text.capitalize(Text.words(finite, subject, time, object, not, place, last)) + "?";
        }
        return clause.timeFirst()
                ? Grammar.statement(Text.words(time, finite, subject, object, not, place, last))
                : Grammar.statement(Text.words(subject, finite, time, object, not, place, last));
    }

    private static String finite(Clause clause) {
        int person = clause.subject().person();
        Verb verb = clause.verb();
        if (verb == null) {
            return person == 1 ? "ist" : "sind";
        }
        return switch (clause.tense()) {
            case PRESENT -> verb.form(Language.GERMAN, Math.min(person, 2));
            case PERFECT -> HAVE.get(person);
            case FUTURE -> WILL.get(person);
        };
    }

    /// Returns what closes the sentence: participle, infinitive or predicate adjective.
    private static String last(Clause clause) {
        Verb verb = clause.verb();
        if (verb == null) {
            return clause.state() == null ? "" : clause.state().base(Language.GERMAN);
        }
        if (clause.tense() == Tense.PRESENT) {
            return "";
        }
        return verb.form(Language.GERMAN, clause.tense() == Tense.PERFECT ? 3 : 2);
    }

    @Override
    public String definite(Noun noun, boolean plural) {
        return article(noun, plural, false) + " " + noun.form(Language.GERMAN, plural);
    }

    private static String nounPhrase(Subject subject, boolean accusative) {
        return switch (subject) {
            case Pronoun pronoun -> pronoun.plural() ? "wir" : "ich";
            case NounPhrase phrase -> phrase(phrase, accusative);
        };
    }

    private static String phrase(NounPhrase phrase, boolean accusative) {
        Noun noun = phrase.noun();
        boolean plural = phrase.plural();
        String word = accusative ? noun.accusative(plural) : noun.form(Language.GERMAN, plural);
        String adjective = phrase.adjective() == null ? "" : phrase.adjective().stem() + ending(phrase, accusative);
        String determiner = switch (phrase.determiner()) {
            case THE -> article(noun, plural, accusative);
            case A -> "ein" + einEnding(noun, plural, accusative);
            case MY -> "mein" + einEnding(noun, plural, accusative);
            case NUMBER -> NUMBERS.get(phrase.number());
        };
        return Text.words(determiner, adjective, word);
    }

    private static String article(Noun noun, boolean plural, boolean accusative) {
        if (plural) {
            return "die";
        }
        return switch (noun.gender(Language.GERMAN)) {
            case 'm' -> accusative ? "den" : "der";
            case 'f' -> "die";
            default -> "das";
        };
    }

    private static String einEnding(Noun noun, boolean plural, boolean accusative) {
        char gender = noun.gender(Language.GERMAN);
        if (plural || gender == 'f') {
            return "e";
        }
        return gender == 'm' && accusative ? "en" : "";
    }

    /// Returns the adjective's ending: weak after "der", mixed after "ein" and "mein", strong after a number.
    private static String ending(NounPhrase phrase, boolean accusative) {
        char gender = phrase.noun().gender(Language.GERMAN);
        boolean weak = phrase.determiner() == Clause.Determiner.THE;
        if (phrase.plural()) {
            return phrase.determiner() == Clause.Determiner.NUMBER ? "e" : "en";
        }
        return switch (gender) {
            case 'm' -> accusative ? "en" : weak ? "e" : "er";
            case 'f' -> "e";
            default -> weak ? "e" : "es";
        };
    }
}
