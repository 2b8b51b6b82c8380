package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Clause.NounPhrase;
import dev.mixtral.train.corpus.Clause.Pronoun;
import dev.mixtral.train.corpus.Clause.Subject;
import dev.mixtral.train.corpus.Lexicon.Adjective;
import dev.mixtral.train.corpus.Lexicon.Noun;
import dev.mixtral.train.corpus.Lexicon.Verb;
import java.util.List;

/// French: elision before vowels, "ne … pas", "est-ce que", a space before "?".
final class FrenchGrammar implements Grammar {
    private static final List<String> NUMBERS =
            List.of("", "", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix");
    private static final List<String> HAVE = List.of("ai", "a", "avons", "ont");
    private static final List<String> GO = List.of("vais", "va", "allons", "vont");

    /// First letters that elide; every h of the lexicon is mute.
    private static final String VOWELS = "aàâeéèêiîoôuhœ";

    @Override
    public String sentence(Clause clause) {
        String object = clause.object() == null ? "" : phrase(clause.object());
        String place = clause.placeIn(Language.FRENCH);
        String time = clause.timeIn(Language.FRENCH);
        if (clause.verb() == null && clause.state() == null) {
            return Grammar.statement(Text.words("il y a", phrase(clause.subject()), place));
        }
        String core = Text.words(subjectAndVerb(clause), object, place);
        if (clause.question()) {
            return Text.capitalize(Text.words("est-ce", elide("que", core), time)) + " ?";
        }
        return clause.timeFirst() ? Grammar.statement(time + ", " + core) : Grammar.statement(Text.words(core, time));
    }

    private static String subjectAndVerb(Clause clause) {
        Subject subject = clause.subject();
        int person = subject.person();
        String finite = finite(clause);
        String rest = rest(clause);
        String predicate = clause.negated() ? Text.words(elide("ne", finite), "pas", rest) : Text.words(finite, rest);
        return switch (subject) {
            case Pronoun _ -> person == 0 ? elide("je", predicate) : "nous " + predicate;
            case NounPhrase phrase -> phrase(phrase) + " " + predicate;
        };
    }

    private static String finite(Clause clause) {
        int person = clause.subject().person();
        Verb verb = clause.verb();
        if (verb == null) {
            return person == 1 ? "est" : "sont";
        }
        return switch (clause.tense()) {
            case PRESENT -> verb.form(Language.FRENCH, person);
            case PERFECT -> HAVE.get(person);
            case FUTURE -> GO.get(person);
        };
    }

    private static String rest(Clause clause) {
        Adjective state = clause.state();
        if (state != null && clause.subject() instanceof NounPhrase phrase) {
            return state.agreeing(Language.FRENCH, phrase.noun(), phrase.plural());
        }
        Verb verb = clause.verb();
        if (verb == null) {
            return "";
        }
        return switch (clause.tense()) {
            case PRESENT -> "";
            case PERFECT -> verb.form(Language.FRENCH, 5);
            case FUTURE -> verb.form(Language.FRENCH, 4);
        };
    }

    @Override
    public String definite(Noun noun, boolean plural) {
        return article(noun.form(Language.FRENCH, plural), noun, plural);
    }

    private static String phrase(Subject subject) {
        return subject instanceof NounPhrase phrase ? phrase(phrase) : "";
    }

    private static String phrase(NounPhrase phrase) {
        Noun noun = phrase.noun();
        String rest = noun.form(Language.FRENCH, phrase.plural());
        Adjective adjective = phrase.adjective();
        if (adjective != null) {
            String word = adjective.agreeing(Language.FRENCH, noun, phrase.plural());
            rest = adjective.place() == 'b' ? word + " " + rest : rest + " " + word;
        }
        boolean feminine = noun.gender(Language.FRENCH) == 'f';
        return switch (phrase.determiner()) {
            case THE -> article(rest, noun, phrase.plural());
            case A -> (feminine ? "une " : "un ") + rest;
            case MY -> my(rest, feminine, phrase.plural()) + " " + rest;
            case NUMBER -> NUMBERS.get(phrase.number()) + " " + rest;
        };
    }

    private static String my(String rest, boolean feminine, boolean plural) {
        if (plural) {
            return "mes";
        }
        return feminine && VOWELS.indexOf(rest.charAt(0)) < 0 ? "ma" : "mon";
    }

    private static String article(String rest, Noun noun, boolean plural) {
        if (plural) {
            return "les " + rest;
        }
        return elide(noun.gender(Language.FRENCH) == 'f' ? "la" : "le", rest);
    }

    /// Puts a small word before another: "le" + "chat", but "l'" + "oiseau".
    private static String elide(String word, String next) {
        return VOWELS.indexOf(next.charAt(0)) >= 0
                ? word.substring(0, word.length() - 1) + "'" + next
                : word + " " + next;
    }
}
