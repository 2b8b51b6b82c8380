package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Clause.NounPhrase;
import dev.mixtral.train.corpus.Lexicon.Adjective;
import dev.mixtral.train.corpus.Lexicon.Noun;
import dev.mixtral.train.corpus.Lexicon.Verb;
import java.util.List;

/// Spanish: no subject pronouns, ser and estar, verb before subject in questions.
final class SpanishGrammar implements Grammar {
    private static final List<String> NUMBERS =
            List.of("", "", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez");
    private static final List<String> HAVE = List.of("he", "ha", "hemos", "han");
    private static final List<String> GO = List.of("voy a", "va a", "vamos a", "van a");

    @Override
    public String sentence(Clause clause) {
        String object = clause.object() == null ? "" : phrase(clause.object());
        String place = clause.placeIn(Language.SPANISH);
        String time = clause.timeIn(Language.SPANISH);
        String subject = clause.subject() instanceof NounPhrase phrase ? phrase(phrase) : "";
        if (clause.verb() == null && clause.state() == null) {
            return Grammar.statement(Text.words("hay", subject, place));
        }
        String verb = Text.words(clause.negated() ? "no" : "", verb(clause));
        String state = state(clause);
        if (clause.question()) {
            return Text.capitalize("¿" + Text.words(verb, state, subject, object, place, time)) + "?";
        }
        return clause.timeFirst()
                ? Grammar.statement(Text.words(time, subject, verb, state, object, place))
                : Grammar.statement(Text.words(subject, verb, state, object, place, time));
    }

    private static String verb(Clause clause) {
        int person = clause.subject().person();
        Verb verb = clause.verb();
        if (verb == null) {
            boolean estar = clause.state() != null && clause.state().estar();
            return estar ? (person == 1 ? "está" : "están") : (person == 1 ? "es" : "son");
        }
        return switch (clause.tense()) {
            case PRESENT -> verb.form(Language.SPANISH, person);
            case PERFECT -> HAVE.get(person) + " " + verb.form(Language.SPANISH, 5);
            case FUTURE -> GO.get(person) + " " + verb.form(Language.SPANISH, 4);
        };
    }

    private static String state(Clause clause) {
        Adjective state = clause.state();
        return state != null && clause.subject() instanceof NounPhrase phrase
                ? state.agreeing(Language.SPANISH, phrase.noun(), phrase.plural())
                : "";
    }

    @Override
    public String definite(Noun noun, boolean plural) {
        return article(noun, plural) + " " + noun.form(Language.SPANISH, plural);
    }

    private static String phrase(NounPhrase phrase) {
        Noun noun = phrase.noun();
        boolean plural = phrase.plural();
        Adjective adjective = phrase.adjective();
        String after = adjective == null ? "" : adjective.agreeing(Language.SPANISH, noun, plural);
        String determiner = switch (phrase.determiner()) {
            case THE -> article(noun, plural);
            case A -> noun.gender(Language.SPANISH) == 'f' ? "una" : "un";
            case MY -> plural ? "mis" : "mi";
            case NUMBER -> NUMBERS.get(phrase.number());
        };
        return Text.words(determiner, noun.form(Language.SPANISH, plural), after);
    }

    private static String article(Noun noun, boolean plural) {
        boolean feminine = noun.gender(Language.SPANISH) == 'f';
        return plural ? (feminine ? "las" : "los") : (feminine ? "la" : "el");
    }
}
