package dev.mixtral.train.corpus;

import dev.mixtral.train.corpus.Lexicon.Noun;
import java.util.List;

/// Single words: their translation with the article, their plural, their article.
final class Vocabulary implements Skill {
    private static final List<String> REQUESTS = List.of(
            "What is \"{1}\" in {0}?",
            "How do you say \"{1}\" in {0}?", "What is the {0} word for \"{1}\"?", "{1} in {0}?");

    @Override
    public String name() {
        return "vocabulary";
    }

    @Override
    public Example draw(Rng rng) {
        Noun noun = rng.pick(Lexicon.NOUNS);
        if (rng.chance(25)) {
            Language language = rng.pick(Language.ALL);
            String word = noun.form(language, false);
            return Example.of(
                    name(),
                    Check.EXACT,
                    Text.fill(
                            rng.of("What is the plural of \"{0}\" in {1}?", "{1} plural of \"{0}\"?"),
                            word,
                            language.english()),
                    noun.form(language, true));
        }
        Language from = Translation.language(rng);
        Language to = rng.pickOther(Language.ALL, from);
        boolean article = rng.chance(50);
        String source = article ? from.grammar().definite(noun, false) : noun.form(from, false);
        String target = article ? to.grammar().definite(noun, false) : noun.form(to, false);
        return Example.of(name(), Check.EXACT, Text.fill(rng.pick(REQUESTS), to.english(), source), target);
    }
}
