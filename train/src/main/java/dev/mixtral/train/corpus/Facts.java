package dev.mixtral.train.corpus;

import java.util.List;

/// A handful of facts that are taught: capitals, days and months, opposites, colours, animals.
final class Facts implements Skill {
    private static final List<Group> GROUPS =
            Tables.rows("facts.txt").stream().map(Group::of).toList();

    /// Questions that share one set of pairs.
    private record Group(List<String> questions, String answer, List<List<String>> pairs) {
        static Group of(List<String> row) {
            var pairs = Tables.split(row.get(2), ';').stream()
                    .map(pair -> Tables.split(pair, '='))
                    .toList();
            return new Group(Tables.split(row.get(0), '/'), row.get(1), pairs);
        }
    }

    @Override
    public String name() {
        return "facts";
    }

    @Override
    public Example draw(Rng rng) {
        Group group = rng.pick(GROUPS);
        List<String> pair = rng.pick(group.pairs());
        String question = Text.fill(rng.pick(group.questions()), pair.get(0), pair.get(1));
        boolean oneWord = pair.get(1).indexOf(' ') < 0;
        if (oneWord && rng.chance(12)) {
            String system = rng.of("Answer only with one word.", "Answer with one word.", "One word answers only.");
            return Example.of(name(), Check.EXACT, system, question, pair.get(1));
        }
        return Example.of(name(), Check.EXACT, question, Text.fill(group.answer(), pair.get(0), pair.get(1)));
    }
}
