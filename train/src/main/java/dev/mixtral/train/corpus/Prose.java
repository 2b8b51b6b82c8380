package dev.mixtral.train.corpus;

import java.util.List;

/// Plain text without a prompt: stories, sentences in one language, nursery rhymes and fables.
final class Prose implements Skill {
    private static final List<String> PASSAGES = Tables.lines("prose.txt");

    @Override
    public String name() {
        return "prose";
    }

    @Override
    public Example draw(Rng rng) {
        int kind = rng.below(10);
        if (kind < 4) {
            return Example.text(name(), Stories.story(rng).text());
        }
        return Example.text(name(), kind < 7 ? sentences(rng) : rng.pick(PASSAGES));
    }

    private static String sentences(Rng rng) {
        Language language = rng.pick(Language.ALL);
        var out = new StringBuilder();
        for (int i = rng.between(2, 4); i > 0; i--) {
            out.append(out.isEmpty() ? "" : " ").append(Sentences.sentence(rng).in(language));
        }
        return out.toString();
    }
}
