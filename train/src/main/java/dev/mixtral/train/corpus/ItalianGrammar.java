package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Clause.NounPhrase;
import dev.mixtral.train.corpus.Lexicon.Adjective;
import dev.mixtral.train.corpus.Lexicon.Noun;
import dev.mixtral.train.corpus.Lexicon.Verb;
import java.util.List;

/// Italian: no subject pronouns, articles that follow the sound of the next word (il, lo, l', i, gli).
final class ItalianGrammar implements Grammar {
    private static final List<String> NUMBERS =
            List.of("", "", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove", "dieci");
    private static final List<String> HAVE = List.of("ho", "ha", "abbiamo", "hanno");
    private static final List<String> FUTURE_ENDINGS = List.of("ò", "à", "emo", "anno");
    private static final String VOWELS = "aeiou";

    @Override
    public String sentence(Clause clause) {
        String object = clause.object() == null ? "" : phrase(clause.object());
        String place = clause.placeIn(Language.ITALIAN);
        String time = clause.timeIn(Language.ITALIAN);
        String subject = clause.subject() instanceof NounPhrase phrase ? phrase(phrase) : "";
        if (clause.verb() == null && clause.state() == null) {
            String there = clause.subject().person() == 1 ? "c'è" : "ci sono";
            return Grammar.statement(Text.words(there, subject, place));
        }
        String verb = Text.words(clause.negated() ? "non" : "", verb(clause), state(clause));
        if (clause.timeFirst()) {
            return Grammar.statement(Text.words(time, subject, verb, object, place));
        }
        String core = Text.words(subject, verb, object, place, time);
        return clause.question() ? Text.capitalize(core) + "?" : Grammar.statement(core);
    }

    private static String verb(Clause clause) {
        int person = clause.subject().person();
        Verb verb = clause.verb();
        if (verb == null) {
            return person == 1 ? "è" : "sono";
        }
        return switch (clause.tense()) {
            case PRESENT -> verb.form(Language.ITALIAN, person);
            case PERFECT -> HAVE.get(person) + " " + verb.form(Language.ITALIAN, 5);
            case FUTURE -> verb.form(Language.ITALIAN, 4) + FUTURE_ENDINGS.get(person);
        };
    }

    private static String state(Clause clause) {
        Adjective state = clause.state();
        return state != null && clause.subject() instanceof NounPhrase phrase
                ? state.agreeing(Language.ITALIAN, phrase.noun(), phrase.plural())
                : "";
    }

    @Override
    public String definite(Noun noun, boolean plural) {
        String word = noun.form(Language.ITALIAN, plural);
        return article(noun, plural, word) + word;
    }

    private static String phrase(NounPhrase phrase) {
        Noun noun = phrase.noun();
        boolean plural = phrase.plural();
        String word = noun.form(Language.ITALIAN, plural);
        Adjective adjective = phrase.adjective();
        String after = adjective == null ? "" : " " + adjective.agreeing(Language.ITALIAN, noun, plural);
        boolean feminine = noun.gender(Language.ITALIAN) == 'f';
        String determiner = switch (phrase.determiner()) {
            case THE -> article(noun, plural, word);
            case A -> indefinite(feminine, word);
            case MY -> my(feminine, plural);
            case NUMBER -> NUMBERS.get(phrase.number()) + " ";
        };
        return determiner + word + after;
    }

    private static String my(boolean feminine, boolean plural) {
        if (feminine) {
            return plural ? "le mie " : "la mia ";
        }
        return plural ? "i miei " : "il mio ";
    }

    private static String indefinite(boolean feminine, String word) {
        if (feminine) {
            return startsWithVowel(word) ? "un'" : "una ";
        }
        return takesLo(word) ? "uno " : "un ";
    }

    private static String article(Noun noun, boolean plural, String word) {
        boolean vowel = startsWithVowel(word);
        if (noun.gender(Language.ITALIAN) == 'f') {
            return plural ? "le " : vowel ? "l'" : "la ";
        }
        if (plural) {
            return vowel || takesLo(word) ? "gli " : "i ";
        }
        return vowel ? "l'" : takesLo(word) ? "lo " : "il ";
    }

    private static boolean startsWithVowel(String word) {
        return VOWELS.indexOf(word.charAt(0)) >= 0;
    }

    /// Returns whether a masculine word takes "lo": s with a consonant, z, gn, ps.
    private static boolean takesLo(String word) {
        return word.startsWith("z")
                || word.startsWith("gn")
                || word.startsWith("ps")
                || (word.startsWith("s") && VOWELS.indexOf(word.charAt(1)) < 0);
    }
}
