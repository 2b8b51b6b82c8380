package dev.mixtral.train.corpus;

import java.util.List;

/// The five languages, in the order of the columns of the tables.
enum Language {
    ENGLISH(0, "English"),
    FRENCH(1, "French"),
    GERMAN(2, "German"),
    SPANISH(3, "Spanish"),
    ITALIAN(4, "Italian");

    static final List<Language> ALL = List.of(values());

    private final int column;
    private final String english;

    Language(int column, String english) {
        this.column = column;
        this.english = english;
    }

    /// Returns its English name.
    String english() {
        return english;
    }

    /// Returns its column in the tables, and its place in lists of texts.
    int column() {
        return column;
    }

    /// Returns a grammar of this language; grammars have no state.
    Grammar grammar() {
        return switch (this) {
            case ENGLISH -> new EnglishGrammar();
            case FRENCH -> new FrenchGrammar();
            case GERMAN -> new GermanGrammar();
            case SPANISH -> new SpanishGrammar();
            case ITALIAN -> new ItalianGrammar();
        };
    }
}
