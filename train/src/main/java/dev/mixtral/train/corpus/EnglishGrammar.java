package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Clause.NounPhrase;
import dev.mixtral.train.corpus.Clause.Pronoun;
import dev.mixtral.train.corpus.Clause.Subject;
import dev.mixtral.train.corpus.Lexicon.Noun;
import dev.mixtral.train.corpus.Lexicon.Verb;
import java.util.List;

/// English: do-support in negations and questions, "an" before vowels.
final class EnglishGrammar implements Grammar {
    private static final List<String> NUMBERS =
            List.of("", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten");

    @Override
    public String sentence(Clause clause) {
        String place = clause.placeIn(Language.ENGLISH);
        String time = clause.timeIn(Language.ENGLISH);
        String object = clause.object() == null ? "" : phrase(clause.object());
        String subject = phrase(clause.subject());
        String[] verb = verb(clause);
        String not = clause.negated() ? "not" : "";
        if (clause.verb() == null && clause.state() == null) {
            return Grammar.statement(Text.words("there", verb[0], subject, place));
        }
        if (clause.question()) {
            return Text.capitalize(Text.words(verb[0], subject, verb[1], object, place, time)) + "?";
        }
        if (clause.timeFirst()) {
            return Grammar.statement(Text.words(time, subject, verb[0], not, verb[1], object, place));
        }
        return Grammar.statement(Text.words(subject, verb[0], not, verb[1], object, place, time));
    }

    /// Returns auxiliary and rest; the auxiliary is empty in a plain present tense.
    private static String[] verb(Clause clause) {
        int person = clause.subject().person();
        boolean third = person == 1;
        if (clause.state() != null) {
            return new String[] {third ? "is" : "are", clause.state().base(Language.ENGLISH)};
        }
        Verb verb = clause.verb();
        if (verb == null) {
            return new String[] {third ? "is" : "are", ""};
        }
        String base = verb.form(Language.ENGLISH, 0);
        return switch (clause.tense()) {
            case PERFECT -> new String[] {third ? "has" : "have", verb.form(Language.ENGLISH, 2)};
            case FUTURE -> new String[] {"will", base};
            case PRESENT ->
                clause.negated() || clause.question()
                        ? new String[] {third ? "does" : "do", base}
                        : new String[] {"", verb.form(Language.ENGLISH, third ? 1 : 0)};
        };
    }

    @Override
    public String definite(Noun noun, boolean plural) {
        return "the " + noun.form(Language.ENGLISH, plural);
    }

    private static String phrase(Subject subject) {
        return switch (subject) {
            case Pronoun pronoun -> pronoun.plural() ? "we" : "I";
            case NounPhrase phrase -> phrase(phrase);
        };
    }

    private static String phrase(NounPhrase phrase) {
        String adjective = phrase.adjective() == null ? "" : phrase.adjective().base(Language.ENGLISH);
        String rest = Text.words(adjective, phrase.noun().form(Language.ENGLISH, phrase.plural()));
        return switch (phrase.determiner()) {
            case THE -> "the " + rest;
            case A -> Text.a(rest);
            case MY -> "my " + rest;
            case NUMBER -> NUMBERS.get(phrase.number()) + " " + rest;
        };
    }
}
