package dev.mixtral.train.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.train.corpus.Clause.Determiner;
import dev.mixtral.train.corpus.Clause.NounPhrase;
import dev.mixtral.train.corpus.Clause.Pronoun;
import dev.mixtral.train.corpus.Clause.Subject;
import dev.mixtral.train.corpus.Clause.Tense;
import dev.mixtral.train.corpus.Lexicon.Adjective;
import dev.mixtral.train.corpus.Lexicon.Noun;
import dev.mixtral.train.corpus.Lexicon.Verb;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class GrammarTest {
    private static final List<String> GARDEN = Lexicon.PLACES.getFirst();
    private static final List<String> TODAY = Lexicon.TIMES.getFirst();

    @Test
    void articlesFollowTheNextSound() {
        assertThat(written(new Clause(
                        the("student", null),
                        verb("sleep"),
                        null,
                        null,
                        null,
                        null,
                        false,
                        Tense.PRESENT,
                        false,
                        false)))
                .containsExactly(
                        "The student sleeps.",
                        "L'étudiant dort.",
                        "Der Student schläft.",
                        "El estudiante duerme.",
                        "Lo studente dorme.");
        assertThat(written(new Clause(
                        the("bird", adjective("small")),
                        verb("sing"),
                        null,
                        null,
                        GARDEN,
                        TODAY,
                        true,
                        Tense.PRESENT,
                        false,
                        false)))
                .containsExactly(
                        "Today the small bird sings in the garden.",
                        "Aujourd'hui, le petit oiseau chante dans le jardin.",
                        "Heute singt der kleine Vogel im Garten.",
                        "Hoy el pájaro pequeño canta en el jardín.",
                        "Oggi l'uccello piccolo canta nel giardino.");
    }

    @Test
    void objectsTakeTheirCaseAndNegationsTheirPlace() {
        var object = new NounPhrase(noun("apple"), false, Determiner.THE, 0, adjective("red"));
        assertThat(written(new Clause(
                        new Pronoun(false), verb("buy"), object, null, null, null, false, Tense.PRESENT, true, false)))
                .containsExactly(
                        "I do not buy the red apple.",
                        "Je n'achète pas la pomme rouge.",
                        "Ich kaufe den roten Apfel nicht.",
                        "No compro la manzana roja.",
                        "Non compro la mela rossa.");
        var one = new NounPhrase(noun("shoe"), false, Determiner.A, 0, adjective("new"));
        assertThat(written(new Clause(
                        the("woman", null), verb("lose"), one, null, null, null, false, Tense.PERFECT, false, true)))
                .containsExactly(
                        "Has the woman lost a new shoe?",
                        "Est-ce que la femme a perdu une chaussure neuve ?",
                        "Hat die Frau einen neuen Schuh verloren?",
                        "¿Ha perdido la mujer un zapato nuevo?",
                        "La donna ha perso una scarpa nuova?");
    }

    @Test
    void statesAgreeAndFuturesHaveTheirForms() {
        var nurses = new NounPhrase(noun("nurse"), true, Determiner.THE, 0, null);
        assertThat(written(new Clause(
                        nurses, null, null, adjective("tired"), null, null, false, Tense.PRESENT, true, false)))
                .containsExactly(
                        "The nurses are not tired.",
                        "Les infirmières ne sont pas fatiguées.",
                        "Die Krankenschwestern sind nicht müde.",
                        "Las enfermeras no están cansadas.",
                        "Le infermiere non sono stanche.");
        assertThat(written(new Clause(
                        new Pronoun(true), verb("write"), null, null, GARDEN, null, false, Tense.FUTURE, false, false)))
                .containsExactly(
                        "We will write in the garden.",
                        "Nous allons écrire dans le jardin.",
                        "Wir werden im Garten schreiben.",
                        "Vamos a escribir en el jardín.",
                        "Scriveremo nel giardino.");
    }

    @Test
    void presenceUsesTheGermanAccusative() {
        var bear = new NounPhrase(noun("bear"), false, Determiner.A, 0, null);
        assertThat(written(new Clause(bear, null, null, null, GARDEN, null, false, Tense.PRESENT, false, false)))
                .containsExactly(
                        "There is a bear in the garden.",
                        "Il y a un ours dans le jardin.",
                        "Es gibt einen Bären im Garten.",
                        "Hay un oso en el jardín.",
                        "C'è un orso nel giardino.");
    }

    @Test
    void tablesAreComplete() {
        assertThat(Lexicon.NOUNS).hasSizeGreaterThan(70);
        assertThat(Lexicon.NOUNS).allSatisfy(noun -> assertThat(noun.forms()).allMatch(forms -> forms.size() >= 2));
        assertThat(Lexicon.ADJECTIVES)
                .hasSizeGreaterThan(25)
                .allSatisfy(adjective ->
                        assertThat(adjective.forms().stream().map(List::size)).containsExactly(1, 4, 2, 4, 4));
        List<Integer> sizes = List.of(3, 6, 4, 6, 6);
        assertThat(Lexicon.INTRANSITIVE)
                .allSatisfy(verb ->
                        assertThat(verb.forms().stream().map(List::size)).isEqualTo(sizes));
        assertThat(Lexicon.TRANSITIVE)
                .allSatisfy(verb ->
                        assertThat(verb.forms().stream().map(List::size)).isEqualTo(sizes));
        assertThat(Lexicon.PLACES).allMatch(row -> row.size() == 5);
        assertThat(Lexicon.TIMES).allMatch(row -> row.size() == 5);
        assertThat(Lexicon.PHRASES).allMatch(row -> row.size() == 5);
    }

    private static List<String> written(Clause clause) {
        return Language.ALL.stream()
                .map(language -> language.grammar().sentence(clause))
                .toList();
    }

    private static Subject the(String noun, @Nullable Adjective adjective) {
        return new NounPhrase(noun(noun), false, Determiner.THE, 0, adjective);
    }

    private static Noun noun(String english) {
        return Lexicon.NOUNS.stream()
                .filter(noun -> noun.form(Language.ENGLISH, false).equals(english))
                .findFirst()
                .orElseThrow();
    }

    private static Adjective adjective(String english) {
        return Lexicon.ADJECTIVES.stream()
                .filter(adjective -> adjective.base(Language.ENGLISH).equals(english))
                .findFirst()
                .orElseThrow();
    }

    private static Verb verb(String english) {
        return Stream.concat(Lexicon.INTRANSITIVE.stream(), Lexicon.TRANSITIVE.stream())
                .filter(verb -> verb.form(Language.ENGLISH, 0).equals(english))
                .findFirst()
                .orElseThrow();
    }
}
