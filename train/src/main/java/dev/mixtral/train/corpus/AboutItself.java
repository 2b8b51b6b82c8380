package dev.mixtral.train.corpus;

import java.util.List;

/// What the model says about itself, and greetings. Taught in full: nothing of it is held out.
final class AboutItself implements Skill {
    private static final List<List<String>> ROWS = Tables.rows("self.txt");

    @Override
    public String name() {
        return "about-itself";
    }

    @Override
    public Example draw(Rng rng) {
        List<String> row = rng.pick(ROWS);
        String question = rng.pick(Tables.split(row.getFirst(), '/'));
        if (rng.chance(10)) {
            question = Text.lower(question);
        }
        String system = rng.of("You are a helpful assistant.", "Be kind.", "You are mixtral-tiny.");
        return rng.chance(10)
                ? Example.of(name(), Check.EXACT, system, question, row.getLast())
                : Example.of(name(), Check.EXACT, question, row.getLast());
    }
}
