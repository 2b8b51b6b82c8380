package dev.mixtral.train.corpus;

import java.util.List;

/// The words of the translation skills, read from the tables `nouns.txt`, `adjectives.txt`, `verbs.txt` and others.
final class Lexicon {
    static final List<Noun> NOUNS =
            Tables.rows("nouns.txt").stream().map(Noun::of).toList();
    static final List<Noun> BEINGS =
            NOUNS.stream().filter(noun -> noun.kind() != 't').toList();
    static final List<Noun> PERSONS =
            NOUNS.stream().filter(noun -> noun.kind() == 'p').toList();
    static final List<Noun> THINGS =
            NOUNS.stream().filter(noun -> noun.kind() == 't').toList();
    static final List<Adjective> ADJECTIVES =
            Tables.rows("adjectives.txt").stream().map(Adjective::of).toList();
    static final List<Verb> INTRANSITIVE = verbs("i");
    static final List<Verb> TRANSITIVE = verbs("t");
    static final List<List<String>> PLACES = Tables.rows("places.txt");
    static final List<List<String>> TIMES = Tables.rows("times.txt");
    static final List<List<String>> PHRASES = Tables.rows("phrases.txt");

    private Lexicon() {}

    private static List<Verb> verbs(String kind) {
        return Tables.rows("verbs.txt").stream()
                .filter(row -> row.getFirst().equals(kind))
                .map(Verb::of)
                .toList();
    }

    /// A noun.
    ///
    /// @param kind `p` person, `a` animal, `t` thing
    /// @param genders per language, as in the table; English has none
    /// @param forms per language: singular, plural and, where German needs it, the accusative singular
    record Noun(char kind, List<Character> genders, List<List<String>> forms) {
        static Noun of(List<String> row) {
            var forms = row.subList(1, 6).stream()
                    .map(cell -> Tables.split(cell.matches("[mfn] .*") ? cell.substring(2) : cell, ','))
                    .toList();
            var genders = row.subList(1, 6).stream()
                    .map(cell -> cell.matches("[mfn] .*") ? cell.charAt(0) : '-')
                    .toList();
            return new Noun(row.getFirst().charAt(0), genders, forms);
        }

        String form(Language language, boolean plural) {
            return forms.get(language.column()).get(plural ? 1 : 0);
        }

        char gender(Language language) {
            return genders.get(language.column());
        }

        /// Returns the German accusative, which differs from the nominative for weak nouns only.
        String accusative(boolean plural) {
            List<String> german = forms.get(Language.GERMAN.column());
            return !plural && german.size() > 2 ? german.get(2) : form(Language.GERMAN, plural);
        }
    }

    /// An adjective.
    ///
    /// @param kinds kinds of noun it may describe
    /// @param place `b` before and `a` after a French noun, `-` only after "is"
    /// @param forms per language, as in the table
    /// @param estar whether Spanish says "está" rather than "es"
    record Adjective(String kinds, char place, List<List<String>> forms, boolean estar) {
        static Adjective of(List<String> row) {
            var forms = List.of(
                    List.of(row.get(2)), cells(row.get(3)), cells(row.get(4)), cells(row.get(6)), cells(row.get(7)));
            return new Adjective(
                    row.getFirst(), row.get(1).charAt(0), forms, row.get(5).equals("estar"));
        }

        boolean describes(Noun noun) {
            return kinds.indexOf(noun.kind()) >= 0;
        }

        /// Returns the word before agreement: English, or German after "ist".
        String base(Language language) {
            return forms.get(language.column()).getFirst();
        }

        /// Returns the German stem, to which endings are added.
        String stem() {
            return forms.get(Language.GERMAN.column()).get(1);
        }

        /// Returns the form that agrees with a French, Spanish or Italian noun.
        String agreeing(Language language, Noun noun, boolean plural) {
            int index = (noun.gender(language) == 'f' ? 1 : 0) + (plural ? 2 : 0);
            return forms.get(language.column()).get(index);
        }
    }

    /// A verb; `forms` per language as in the table.
    record Verb(List<List<String>> forms) {
        static Verb of(List<String> row) {
            return new Verb(List.of(
                    Tables.split(row.get(1), ','),
                    cells(row.get(2)),
                    cells(row.get(3)),
                    cells(row.get(4)),
                    cells(row.get(5))));
        }

        String form(Language language, int index) {
            return forms.get(language.column()).get(index);
        }

        boolean hasPerfect() {
            return !form(Language.GERMAN, 3).equals("-");
        }
    }

    private static List<String> cells(String text) {
        return Tables.split(text, ' ');
    }
}
