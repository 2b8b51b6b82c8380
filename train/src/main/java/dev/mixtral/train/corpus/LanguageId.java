package dev.mixtral.train.corpus;

import java.util.List;

/// Names the language of a sentence.
final class LanguageId implements Skill {
    private static final List<String> REQUESTS = List.of(
            "Which language is this? {0}",
            "What language is this: {0}",
            "Name the language: {0}",
            "Identify the language of this text: {0}",
            "{0}\nWhich language is that?",
            "Is this English, French, German, Spanish or Italian? {0}",
            "Answer with one word. In which language is this written? {0}");

    @Override
    public String name() {
        return "language-id";
    }

    @Override
    public Example draw(Rng rng) {
        Language language = rng.pick(Language.ALL);
        String sentence = Sentences.sentence(rng).in(language);
        if (rng.chance(15)) {
            return Example.of(name(), Check.EXACT, "Name the language of every message.", sentence, language.english());
        }
        return Example.of(name(), Check.EXACT, Text.fill(rng.pick(REQUESTS), sentence), language.english());
    }
}
